"""Which scenarios an expression selects."""

from __future__ import annotations

import ast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lab.model.errors import BadInput
from lab.run.selection import parse_selection

NAMES = ("port-forward", "single-nic-forward", "pppoe-dialup", "dhcp-lease")


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ("forward", "port-forward single-nic-forward"),
        ("FORWARD", "port-forward single-nic-forward"),
        ("forward and nic", "single-nic-forward"),
        ("forward and not nic", "port-forward"),
        ("pppoe or dhcp", "pppoe-dialup dhcp-lease"),
        ("not forward", "pppoe-dialup dhcp-lease"),
        ("not (forward or pppoe)", "dhcp-lease"),
        ("not forward or nic", "single-nic-forward pppoe-dialup dhcp-lease"),
        ("pppoe or forward and nic", "single-nic-forward pppoe-dialup"),
        ("not not dhcp", "dhcp-lease"),
        ("(dhcp)", "dhcp-lease"),
        ("nothing", ""),
    ],
)
def test_an_expression_selects_names(expression: str, selected: str) -> None:
    selection = parse_selection(expression)
    assert [name for name in NAMES if selection(name)] == selected.split()


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("", "-k '': a part of a name is missing at the end"),
        ("a and", "-k 'a and': a part of a name is missing at the end"),
        ("or a", "-k 'or a': a part of a name is missing before 'or'"),
        ("()", "-k '()': a part of a name is missing before ')'"),
        ("(a or b", "-k '(a or b': a ')' is missing"),
        ("a b", "-k 'a b': 'b' is not expected here"),
        ("a)", "-k 'a)': ')' is not expected here"),
    ],
)
def test_an_incomplete_expression_is_bad_input(expression: str, mistake: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_selection(expression)
    assert str(caught.value) == mistake


@given(
    tokens=st.lists(st.sampled_from(["a", "b", "and", "or", "not", "(", ")"]), max_size=8),
    name=st.text("ab", max_size=3),
)
def test_what_python_accepts_means_the_same_here(tokens: list[str], name: str) -> None:
    expression = " ".join(tokens)
    known = {"a": "a" in name, "b": "b" in name}
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        return
    # `()` and `a (b)` are Python, but no selection.
    assume(not any(isinstance(node, ast.Tuple | ast.Call) for node in ast.walk(tree)))
    # The words and how they bind are Python's own.
    expected = eval(compile(tree, "", "eval"), {"__builtins__": {}}, known)
    assert parse_selection(expression)(name) is expected
