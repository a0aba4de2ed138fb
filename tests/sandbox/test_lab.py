"""A lab that is up: its nodes, as their own commands see them."""

from __future__ import annotations

from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab


def test_hosts_reach_each_other_through_a_router(lab: RunningLab) -> None:
    assert "1 received" in lab.output("a", "ping -c 1 -W 5 10.0.2.1")
