"""Routes as a topology writes them, in the words of ip-route(8)."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from lab.model.address import IPAddress
from lab.model.topology import IPNetwork, Route
from lab.spec.addresses import parse_ip
from lab.spec.misfit import Misfit, did_you_mean

DROPPING: Final = ("blackhole", "unreachable", "prohibit")
EVERYWHERE: Final[dict[int, IPNetwork]] = {4: IPv4Network("0.0.0.0/0"), 6: IPv6Network("::/0")}

_FORMS: Final = "forms: PREFIX via GATEWAY [dev INTERFACE], PREFIX dev INTERFACE, blackhole PREFIX"


def parse_route(text: str) -> Route:
    """Read ``default via GW [dev IF]``, ``PREFIX via GW [dev IF]``, ``PREFIX dev IF``,
    ``blackhole PREFIX``, ``unreachable PREFIX`` or ``prohibit PREFIX``.

    A ``default`` without a gateway is IPv4.
    """
    words = text.split()
    if words and words[0] in DROPPING:
        if len(words) != 2:
            raise Misfit(f"expected {words[0]} PREFIX, got '{text}'", _FORMS)
        return Route(_destination(words[1], None), kind=words[0])
    if not words or len(words) not in (3, 5):
        raise Misfit(f"'{text}' is no route", _FORMS)
    options = dict(zip(words[1::2], words[2::2], strict=True))
    for key in options:
        if key not in ("via", "dev"):
            raise Misfit(f"a route has no '{key}'", did_you_mean(key, ["via", "dev"], "it has"))
    if len(options) * 2 != len(words) - 1:
        raise Misfit(f"'{words[1]}' is here twice")
    gateway = parse_ip(options["via"]) if "via" in options else None
    return Route(_destination(words[0], gateway), via=gateway, dev=options.get("dev"))


def _destination(text: str, gateway: IPAddress | None) -> IPNetwork:
    if text == "default":
        return EVERYWHERE[gateway.version if gateway is not None else 4]
    if "/" not in text:
        address = parse_ip(text)
        destination: IPNetwork = ip_network(address)
    else:
        destination = parse_prefix(text)
    if gateway is not None and gateway.version != destination.version:
        raise Misfit(f"{destination} and its gateway {gateway} are not of one IP version")
    return destination


def parse_prefix(text: str) -> IPNetwork:
    """Read ``10.0.0.0/8`` or ``fd00::/64``; bits below the prefix must be 0."""
    address, _, length = text.partition("/")
    ip = parse_ip(address)
    if not (length.isascii() and length.isdigit() and int(length[:4]) <= ip.max_prefixlen):
        raise Misfit(f"'/{length}' is no prefix length", f"0 to {ip.max_prefixlen}")
    network: IPNetwork = ip_network(f"{ip}/{length}", strict=False)
    if network.network_address != ip:
        raise Misfit(f"'{text}' has bits set below its prefix", f"did you mean {network}?")
    return network
