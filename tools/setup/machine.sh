# shellcheck shell=bash
# The Debian packages that a lab needs: how to see that one is missing, and how to get it.
# None of them starts a service: dnsmasq-base and not dnsmasq, and never iptables-persistent.

# "PACKAGE WITNESS": the witness is a command of the package, or the pattern of an absolute path.
readonly REQUIRED=(
    "iptables xtables-nft-multi"
    "iptables xtables-legacy-multi"
    "nftables nft"
    "iproute2 ip"
    "dnsmasq-base dnsmasq"
    "conntrack conntrack"
    "iputils-ping ping"
    "procps sysctl"
    "gcc gcc"
    "libc6-dev /usr/include/stdio.h"
)
readonly USEFUL=(
    "tcpdump tcpdump"
    "uidmap newuidmap" # without it, an ordinary user's lab has one user id instead of 65536
)
readonly PYTHON=(
    "python3 /usr/bin/python3"
    "python3-venv /usr/lib/python3*/ensurepip/__init__.py"
)

# have WITNESS
have() {
    local folder folders
    if [[ $1 == /* ]]; then
        compgen -G "$1" >/dev/null
        return
    fi
    # On Debian, an ordinary user's PATH has no sbin.
    IFS=: read -ra folders <<<"$PATH:/usr/sbin:/usr/bin:/sbin:/bin"
    for folder in "${folders[@]}"; do
        [[ ! -x $folder/$1 || -d $folder/$1 ]] || return 0
    done
    return 1
}

# find_missing NEED...: sets $missing to the packages, each once
find_missing() {
    local need package
    missing=()
    for need; do
        package=${need% *}
        have "${need#* }" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
    done
}

may_install() {
    ((EUID == 0)) && have apt-get
}

# require_packages NEED...: installs what is missing, or gives up and says how to.
require_packages() {
    find_missing "$@"
    ((${#missing[@]} > 0)) || return 0
    if may_install; then
        install_packages "${missing[@]}"
        find_missing "$@"
        ((${#missing[@]} > 0)) || return 0
    fi
    give_up "this machine lacks what these Debian packages bring: ${missing[*]}" \
        "    sudo apt-get install --no-install-recommends ${missing[*]}"
}

# install_packages PACKAGE...: fetches the package lists only if they are absent or too old.
install_packages() {
    local output install=(install --no-install-recommends "$@")
    say "installing $*"
    output=$(apt_get "${install[@]}" || { apt_get update && apt_get "${install[@]}"; }) ||
        printf '%s\n' "$output" >&2
}

# Two at once take turns here: apt-get can wait for the lock of dpkg, not for that of the lists.
apt_get() {
    DEBIAN_FRONTEND=noninteractive flock /var/lib/dpkg \
        apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" 2>&1
}

# require_packages_and_python: all that it takes to make an environment, in one go. Sets $python.
require_packages_and_python() {
    local needs=("${REQUIRED[@]}") pythons=(/usr/bin/python3)
    local elsewhere=(python3 python3.13 python3.12 python3.11)
    if may_install; then
        # Not yet elsewhere: others cannot use what pyenv keeps in root's home.
        needs+=("${USEFUL[@]}")
    else
        pythons+=("${elsewhere[@]}")
        find_missing "${USEFUL[@]}"
        ((${#missing[@]} == 0)) || say "useful, but not here: ${missing[*]}"
    fi
    choose_python "${pythons[@]}" || needs+=("${PYTHON[@]}")
    require_packages "${needs[@]}"
    choose_python /usr/bin/python3 "${elsewhere[@]}" ||
        give_up "Python 3.11 or later is needed, with its modules venv and ensurepip"
}

# choose_python CANDIDATE...: sets $python to the first that will do. Debian ships ensurepip apart.
choose_python() {
    local will_do='from ensurepip import version; import sys; sys.exit(sys.version_info < (3, 11))'
    for python; do
        ! "$python" -I -c "$will_do" 2>/dev/null || return 0
    done
    return 1
}
