"""The tools that a node's commands find: the matrix's iptables, a sudo that needs no password.

A folder first in PATH holds them. Absolute paths (/usr/sbin/iptables) lead through Debian's
/etc/alternatives, whose links the lab's own layer over /etc replaces.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.kernel.mounts import MountAttribute, MountFlag, attach_tree, set_attributes, tmpfs
from lab.model.errors import Missing
from lab.model.scenario import Backend

# /mnt is empty on most hosts and, unlike /run, not made anew for each node.
_PLACE = "/mnt"
FOLDER = "/mnt/lab/bin"
PATH = f"{FOLDER}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TEST_SERVER = f"{FOLDER}/origdst"
_COMMANDS = (
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
)

_SUDO = """\
#!/bin/sh
# Everybody is root in a lab already: drop sudo's options, keep its variables, run the command.
user=
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    -u|-[AbEHknPS]*u|--user) user=$2; shift 2 ;;
    -u?*) user=${1#-u}; shift ;;
    --user=*) user=${1#--user=}; shift ;;
    -g|-p|-C|-r|-t|-T|-U|-D|-h|--group|--prompt|--chdir) shift 2 ;;
    -i|-s|--login|--shell) shift; [ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}" ;;
    -*) shift ;;
    *=*) export "$1"; shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || exit 0
case $user in
  ''|root|'#0') exec "$@" ;;
  *) exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """A backend's multi-call binary and the compiled test server, both absolute host paths.

    ``test_server`` is None for a lab without a ``serve`` step.
    """

    backend: Backend
    multi: str
    test_server: str | None = None


def find_backend(backend: Backend) -> str:
    """Find the multi-call binary of a backend, such as /usr/sbin/xtables-nft-multi."""
    name = f"xtables-{backend}-multi"
    found = shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise Missing(
            f"iptables ({name})",
            "a scenario's rules are applied by the real tools",
            "sudo apt-get install iptables",
        )
    return found


def furnish(toolbox: Toolbox, root: str, test_server: int | None) -> None:
    """Fill the tool folder below a lab's new root; ``test_server`` is a clone of the binary."""
    place = root + _PLACE
    tmpfs(place, "1m", 0o755, MountFlag.NODEV)
    folder = Path(root + FOLDER)
    folder.mkdir(parents=True)
    _link_commands(toolbox, folder)
    sudo = folder / "sudo"
    sudo.write_text(_SUDO)
    sudo.chmod(0o755)
    if test_server is not None:
        Path(root + TEST_SERVER).touch()
        attach_tree(test_server, root + TEST_SERVER)
    set_attributes(place, MountAttribute.READ_ONLY, recursive=False)


def choose_alternatives(toolbox: Toolbox, etc: Path) -> None:
    """Have the layer ``etc`` over /etc point Debian's alternatives at the backend."""
    if not os.path.isdir("/etc/alternatives"):
        return
    folder = etc / "alternatives"
    folder.mkdir()
    _link_commands(toolbox, folder)


def _link_commands(toolbox: Toolbox, folder: Path) -> None:
    for command in _COMMANDS:
        (folder / command).symlink_to(toolbox.multi)
