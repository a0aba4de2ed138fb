# shellcheck shell=bash
# What tools/lab and tools/test share: from a bare checkout to a virtual environment that runs it.
# Expects the checkout's absolute path in $checkout.

# shellcheck source=tools/setup/machine.sh
source "$checkout/tools/setup/machine.sh"
# shellcheck source=tools/setup/environment.sh
source "$checkout/tools/setup/environment.sh"

say() {
    printf 'tools/%s: %s\n' "$purpose" "$*" >&2
}

# give_up LINE...: exits as the lab command does when the machine lacks something.
give_up() {
    local line
    for line; do say "$line"; done
    exit 3
}

# set_up PURPOSE: makes sure of all that `lab` needs, or `test` too, and sets $venv. What it has to
# say goes to stderr, since stdout is lab's own, and nothing that it starts reads lab's stdin.
set_up() {
    purpose=$1
    # Somebody else's modules must not be found before this checkout's.
    unset PYTHONPATH PYTHONHOME
    choose_environment
    if environment_is_current; then
        require_packages "${REQUIRED[@]}" </dev/null
    else
        require_packages_and_python </dev/null
        make_environment </dev/null
    fi
}
