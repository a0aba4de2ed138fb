# shellcheck shell=bash
# The virtual environment that holds this checkout's `lab`, as an editable install, and all that
# it imports. A stamp inside says what it was made for: where that differs from now, it is stale.

# stamp PYTHON: what the environment of $purpose was made by and for
stamp() {
    printf '%s\n' "$1" "$venv" "$checkout" "$(<"$checkout/pyproject.toml")"
}

environment_is_current() {
    local python file=$venv/natlab-$purpose.stamp
    # An environment's own links may outlive the Python that made it, or lead to its successor.
    [[ -r $file ]] && read -r python <"$file" && [[ $venv/bin/python -ef $python ]] &&
        [[ $(<"$file") == "$(stamp "$python")" ]]
}

# may_be_made_at FOLDER: nothing but an environment is there, and we may write.
may_be_made_at() {
    local folder=$1
    if [[ -e $1 ]]; then
        [[ -e $1/pyvenv.cfg || -e $1/natlab.unfinished || -z $(ls -A -- "$1") ]] || return
    fi
    while [[ ! -e $folder && $folder == */* ]]; do folder=${folder%/*}; done
    [[ -d ${folder:-/} && -w ${folder:-/} ]]
}

# choose_environment: sets $venv to $LAB_VENV, else to .venv in the checkout if that can be used or
# made, else to a folder in the user's cache that is this checkout's own.
choose_environment() {
    local cache sum
    if [[ -n ${LAB_VENV:-} ]]; then
        venv=$LAB_VENV
        [[ $venv == /* ]] || venv=$PWD/$venv
        return
    fi
    venv=$checkout/.venv
    if may_be_made_at "$venv" || environment_is_current; then return; fi
    cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    [[ -n $cache ]] || give_up "cannot write to $checkout, and HOME is not set:" \
        "    LAB_VENV=FOLDER names a place for the virtual environment"
    sum=$(printf %s "$checkout" | sha256sum)
    venv=$cache/natlab/venv-${sum:0:12}
}

# make_environment: makes $venv current. Of two at once, the second waits for the first.
make_environment() {
    local lock
    { may_be_made_at "$venv" && mkdir -p -- "$venv"; } || give_up \
        "cannot make a virtual environment in $venv: not writable, or something else is there" \
        "    LAB_VENV=FOLDER names another place"
    exec {lock}<"$venv"
    flock --nonblock "$lock" || { say "waiting for another set-up of $venv" && flock "$lock"; }
    environment_is_current || fill_environment
    exec {lock}<&-
}

fill_environment() {
    local output stamped what=. purposes=(lab)
    if [[ $purpose == test ]]; then
        what='.[test]'
        purposes+=(test)
    fi
    say "making the virtual environment $venv (once, it may take a minute)"
    works_here || start_afresh
    stamped=$(stamp "$(readlink -f -- "$venv/bin/python")")
    rm -f -- "$venv"/natlab-*.stamp
    output=$(cd -- "$checkout" && "$venv/bin/python" -I -m pip install --quiet --no-input \
        --retries 2 --disable-pip-version-check --editable "$what" 2>&1) ||
        give_up "$output" "cannot install the Python packages that pyproject.toml names, see above"
    rm -f -- "$venv/natlab.unfinished"
    for purpose in "${purposes[@]}"; do
        printf '%s\n' "$stamped" >"$venv/natlab-$purpose.stamp"
    done
}

# works_here: $venv needs no more than other packages. An environment that was copied or whose
# Python went away is beyond that, as is one that was interrupted before pip was done.
works_here() {
    local python place
    [[ ! -e $venv/natlab.unfinished ]] || return
    if [[ -e $venv/natlab-lab.stamp ]]; then
        { read -r python && read -r place; } <"$venv/natlab-lab.stamp"
        [[ $place == "$venv" && $venv/bin/python -ef $python ]] || return
    fi
    "$venv/bin/python" -I -c 'import pip' 2>/dev/null
}

start_afresh() {
    local output
    [[ -e $venv/natlab.unfinished || -e $venv/natlab-lab.stamp || -z $(ls -A -- "$venv") ]] ||
        give_up "the virtual environment in $venv does not work: remove it"
    : >"$venv/natlab.unfinished"
    find "$venv" -mindepth 1 -maxdepth 1 ! -name natlab.unfinished -exec rm -rf -- {} +
    output=$("$python" -I -m venv "$venv" 2>&1) ||
        give_up "$output" "cannot make a virtual environment with $python"
}
