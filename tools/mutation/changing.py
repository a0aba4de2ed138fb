"""Which commands change a host's network: those whose loss traffic should notice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from tools.mutation.shell import SimpleCommand

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_TABLES_COMMAND: Final = re.compile(r"(ip|ip6|arp|eb)tables(-nft|-legacy)?")
_TABLES_RESTORE: Final = re.compile(r"(ip|ip6|arp|eb)tables(-nft|-legacy)?-restore")
# They run the command that follows them, in the same node (sudo(8), env(1), bash(1)).
_PREFIXES: Final = frozenset({"sudo", "env", "command", "exec", "nohup"})
_SUDO_OPTIONS_WITH_VALUE: Final = frozenset({"-u", "-g", "-p", "-C", "-h", "-r", "-t", "-T", "-D"})
# iptables(8): only these leave the rules as they are, -n, -v and -x being what joins them.
_LISTING: Final = re.compile(r"-[nvx]*[LSC].*|--(list|list-rules|check)|--version|--help|-[Vh]")
_ZEROING: Final = re.compile(r"-[nvx]*Z.*|--zero")
# ip(8) takes any beginning of these words, the first one that fits.
_IP_OBJECTS: Final = ("address", "route", "rule", "link", "neighbour", "neighbor")
_IP_OPTIONS_WITH_VALUE: Final = frozenset({"-n", "-netns", "-f", "-family", "-rc", "-rcvbuf"})
_IP_LOOKING: Final = ("show", "list", "lst", "ls", "get", "save", "showdump", "help")
_SETTINGS: Final = "/proc/sys/"


def changes_network(command: SimpleCommand) -> bool:
    """Whether a command sets a rule, a kernel setting, a route, a neighbour, a link or an address.

    One that only looks at them does not; what a shell variable or a function hides is not seen.
    """
    if any(target.startswith(_SETTINGS) for target in command.targets):
        return True
    words = _without_prefixes(list(command.words))
    if not words:
        return False
    name, arguments = words[0].rpartition("/")[2], words[1:]
    if _TABLES_COMMAND.fullmatch(name):
        return _changes_rules(arguments)
    if _TABLES_RESTORE.fullmatch(name):
        return not {"-t", "--test", "-h", "--help"} & set(arguments)
    decide = _BY_NAME.get(name)
    return decide is not None and decide(arguments)


def restores_rules(command: SimpleCommand) -> bool:
    """Whether a command takes a rule set from its standard input."""
    words = _without_prefixes(list(command.words))
    return bool(words) and _TABLES_RESTORE.fullmatch(words[0].rpartition("/")[2]) is not None


def _without_prefixes(words: list[str]) -> list[str]:
    """Leave out assignments, sudo and its like, and ``ip netns exec NAME``."""
    while words:
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
        elif words[0] in _PREFIXES:
            words = _without_options(words[1:], _SUDO_OPTIONS_WITH_VALUE)
        elif words[0] == "ip" and words[1:3] == ["netns", "exec"]:
            words = words[4:]
        else:
            break
    return words


def _without_options(words: Sequence[str], with_value: frozenset[str]) -> list[str]:
    """Leave out the options before the first word that is none."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in with_value else rest[1:]
    return rest


def _changes_rules(arguments: Sequence[str]) -> bool:
    looks = any(_LISTING.fullmatch(word) for word in arguments)
    return not looks or any(_ZEROING.fullmatch(word) for word in arguments)


def _changes_nftables(arguments: Sequence[str]) -> bool:
    words = _without_options(arguments, frozenset({"-I", "--includepath", "-D", "--define"}))
    if not words:
        return bool({"-f", "--file"} & set(arguments))
    return words[0] not in ("list", "describe", "monitor", "export")


def _changes_settings(arguments: Sequence[str]) -> bool:
    loading = {"-p", "--load", "--system"}
    return any("=" in word or word in loading for word in arguments)


def _changes_by_ip(arguments: Sequence[str]) -> bool:
    words = _without_options(arguments, _IP_OPTIONS_WITH_VALUE)
    kind = next((each for each in _IP_OBJECTS if words and each.startswith(words[0])), None)
    if kind is None or len(words) < 2:
        return False
    if kind == "link" and "set".startswith(words[1]):
        return True
    return not any(looking.startswith(words[1]) for looking in _IP_LOOKING)


def _changes_interface(arguments: Sequence[str]) -> bool:
    return len(_without_options(arguments, frozenset())) > 1


def _changes_routes(arguments: Sequence[str]) -> bool:
    return bool({"add", "del", "flush"} & set(arguments))


def _changes_arp(arguments: Sequence[str]) -> bool:
    return bool({"-s", "--set", "-d", "--delete", "-f", "--file"} & set(arguments))


def _writes_setting(arguments: Sequence[str]) -> bool:
    return any(word.startswith(_SETTINGS) for word in arguments)


_BY_NAME: Final[dict[str, Callable[[Sequence[str]], bool]]] = {
    "nft": _changes_nftables,
    "sysctl": _changes_settings,
    "ip": _changes_by_ip,
    "ifconfig": _changes_interface,
    "route": _changes_routes,
    "arp": _changes_arp,
    "tee": _writes_setting,
}
