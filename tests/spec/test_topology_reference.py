from __future__ import annotations

import pytest

from lab.spec.misfit import Misfit
from lab.spec.topology_reference import BundledTopology, TopologyClass, parse_reference


def test_a_name() -> None:
    assert parse_reference("home-router") == BundledTopology("home-router")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("x.py:Mine", TopologyClass("x.py", "Mine")),
        ("../a b/x.py:Mine", TopologyClass("../a b/x.py", "Mine")),
        ("x.py:Mine()", TopologyClass("x.py", "Mine")),
        ("x.py:Mine(1, 'two', k=3)", TopologyClass("x.py", "Mine", (1, "two"), (("k", 3),))),
        (
            "x.py:Mine([1, -2.5], {'a': None}, b=True)",
            TopologyClass("x.py", "Mine", ([1, -2.5], {"a": None}), (("b", True),)),
        ),
    ],
)
def test_a_class_with_literals(text: str, reference: TopologyClass) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x.py",
        "x.py:",
        "x.py:mine.Mine()",
        "x.py:Mine(",
        "x.py:Mine()()",
        "x.py:Mine(name)",
        "x.py:Mine(f'{1}')",
        "x.py:Mine(open('x'))",
        "x.py:Mine(*[1])",
        "x.py:Mine(**{'a': 1})",
        "x.py:Mine({1, 2})",
        "x.py:Mine(b'1')",
        "x.py:Mine(1j)",
        "x.py:Mine(1e999)",
        "x.py:Mine({1: 2})",
        "x.py:Mine(...)",
        f"x.py:Mine({'(' * 900})",
        f"x.py:Mine({'1' * 5000})",
        "x.py:Mine(" + "-" * 900 + "1)",
        "x.py:Mine(x=1, x=2)",
        "x.py:Mine\0",
    ],
)
def test_what_names_no_topology(text: str) -> None:
    with pytest.raises(Misfit):
        parse_reference(text)
