"""Names, addresses and numbers that a scenario does not know, to put in the place of its own."""

from __future__ import annotations

import re
from ipaddress import ip_address

from lab.model.address import IPAddress
from lab.model.scenario import Scenario

_NUMBER = re.compile(r"\d+")


class Unnamed:
    """Values near to those of a scenario that stand for nothing in it.

    What an expectation names may be anywhere in it, so that a neighbouring value could hold too:
    another packet, another entry. One that the scenario never names cannot.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._text = repr(scenario)
        self._numbers = {int(number) for number in _NUMBER.findall(self._text)}
        self._nodes = [node.name for node in scenario.topology.nodes]

    def ip(self, ip: IPAddress) -> IPAddress:
        """The next address that the scenario does not name, behind the last one the first."""
        number = int(ip)
        while True:
            number = (number + 1) % (1 << ip.max_prefixlen)
            following = ip_address(number.to_bytes(ip.max_prefixlen // 8, "big"))
            if str(following) not in self._text:
                return following

    def number(self, number: int, most: int) -> int:
        """The next number that the scenario does not name, up to ``most``, then from 1 on."""
        following = number % most + 1
        while following in self._numbers:
            following = following % most + 1
        return following

    def node(self, name: str) -> str:
        """Another node."""
        return next((node for node in self._nodes if node != name), f"{name}-2")
