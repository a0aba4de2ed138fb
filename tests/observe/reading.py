"""Addresses, tuples and patterns for tests, read from the text that a scenario would hold."""

from __future__ import annotations

from ipaddress import ip_address

from lab.model.address import AddressPattern, SocketAddress, Tuple, TuplePattern
from lab.model.errors import Location

HERE = Location("x.lab.yaml", 7, 5)


def address(text: str) -> SocketAddress:
    """``IP`` or ``IP:PORT`` (IPv4)."""
    ip, _, port = text.partition(":")
    return SocketAddress(ip_address(ip), int(port) if port else None)


def tuple_of(text: str) -> Tuple:
    """``IP[:PORT] > IP[:PORT]``."""
    source, dest = text.split(" > ")
    return Tuple(address(source), address(dest))


def pattern(text: str) -> AddressPattern:
    """``IP``, ``IP:PORT`` or ``:PORT``."""
    ip, _, port = text.partition(":")
    return AddressPattern(ip_address(ip) if ip else None, int(port) if port else None, text)


def tuple_pattern(text: str) -> TuplePattern:
    source, dest = text.split(" > ")
    return TuplePattern(pattern(source), pattern(dest))
