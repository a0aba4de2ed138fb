"""Addresses and tuples: who speaks to whom, as values and as the patterns that a step expects."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

IPAddress = IPv4Address | IPv6Address
IPInterface = IPv4Interface | IPv6Interface


def render(ip: IPAddress | None, port: int | str | None) -> str:
    """Write an address the way the articles do: ``ip:port``, IPv6 in brackets when a port follows.

    >>> render(IPv4Address("22.22.22.22"), 80)
    '22.22.22.22:80'
    """
    host = "*" if ip is None else str(ip)
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """One end of a flow; port is None for protocols without ports (ICMP)."""

    ip: IPAddress
    port: int | None = None

    def __str__(self) -> str:
        return render(self.ip, self.port)


@dataclass(frozen=True, slots=True)
class Tuple:
    """Source and destination of a packet or a flow, as somebody saw them."""

    source: SocketAddress
    dest: SocketAddress

    def __str__(self) -> str:
        return f"{self.source} > {self.dest}"

    def reversed(self) -> Tuple:
        """The tuple of the answer that undoes nothing: both ends swapped."""
        return Tuple(self.dest, self.source)


@dataclass(frozen=True, slots=True)
class AddressPattern:
    """What an address must be; None means "any". ``text`` is what the user wrote."""

    ip: IPAddress | None = None
    port: int | None = None
    text: str = ""

    def matches(self, address: SocketAddress | None) -> bool:
        """Tell whether an observed address fits; an address that nobody saw fits nothing."""
        if address is None:
            return False
        if self.ip is not None and self.ip != address.ip:
            return False
        return self.port is None or self.port == address.port

    def __str__(self) -> str:
        resolved = render(self.ip, self.port)
        if self.text and self.text != resolved:
            return f"{self.text} ({resolved})"
        return resolved


@dataclass(frozen=True, slots=True)
class TuplePattern:
    """What a tuple must be, written ``SOURCE > DEST``."""

    source: AddressPattern
    dest: AddressPattern

    def matches(self, observed: Tuple) -> bool:
        """Tell whether both ends fit."""
        return self.source.matches(observed.source) and self.dest.matches(observed.dest)

    def __str__(self) -> str:
        return f"{self.source} > {self.dest}"


@dataclass(frozen=True, slots=True)
class Count:
    """How often: between minimum and maximum, both included; maximum None is "no limit"."""

    minimum: int
    maximum: int | None

    @classmethod
    def exactly(cls, number: int) -> Count:
        """The count that only ``number`` satisfies."""
        return cls(number, number)

    def matches(self, number: int) -> bool:
        """Tell whether an observed number lies within."""
        return self.minimum <= number and (self.maximum is None or number <= self.maximum)

    def __str__(self) -> str:
        if self.minimum == self.maximum:
            return str(self.minimum)
        if self.maximum is None:
            return f">={self.minimum}"
        if self.minimum == 0:
            return f"<={self.maximum}"
        return f"{self.minimum}..{self.maximum}"
