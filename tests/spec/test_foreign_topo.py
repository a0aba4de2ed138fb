from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.model.errors import BadInput
from lab.spec.foreign_topo import Failure, describe, failure, written_topology_of
from lab.spec.misfit import Misfit
from lab.spec.topology import load_topology
from tests.spec.plain_loader import plain_loader

FILE = '''
print("a file may print")
from mininet.topo import Topo

class Pair(Topo):
    """Two hosts."""
    def build(self):
        print("so may a class")
        self.addLink(self.addHost("a"), self.addHost("b"))
'''


def test_a_description_is_fit_for_json(tmp_path: Path) -> None:
    path = tmp_path / "pair.py"
    path.write_text(FILE)
    description = describe(path, "Pair", [], {})
    assert json.loads(json.dumps(description)) == description
    assert list(description["topology"]["nodes"]) == ["a", "b"]


def test_what_a_file_prints_is_no_part_of_its_description(tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(FILE)
    topology = load_topology("pair.py:Pair", plain_loader, tmp_path)
    assert [node.name for node in topology.nodes] == ["a", "b"]


@pytest.mark.parametrize("kind", list(Failure))
def test_every_failure_has_words(kind: Failure) -> None:
    with pytest.raises(Misfit) as caught:
        written_topology_of(json.dumps(failure(kind, "more about it", ["Other"])), "Mine")
    assert caught.value.message != "'Mine' gave no topology"


@settings(deadline=None, derandomize=True, database=None)
@given(
    description=st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(json.dumps),
        st.dictionaries(
            st.sampled_from(["topology", "failure", "text", "known", "nodes", "links"]),
            st.none() | st.integers() | st.text() | st.lists(st.integers()),
        ).map(json.dumps),
    )
)
def test_no_description_is_trusted(
    description: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.py"
    path.touch()
    with pytest.raises(BadInput) as caught:
        load_topology("any.py:Any", lambda *_: description, path.parent)
    assert caught.value.mistakes


@pytest.mark.parametrize(
    "description", ["[" * 100_000, '{"topology": ' * 10_000, "NaN", '{"topology": {"nodes": NaN}}']
)
def test_a_description_may_be_absurd(description: str, tmp_path: Path) -> None:
    (tmp_path / "any.py").touch()
    with pytest.raises(BadInput):
        load_topology("any.py:Any", lambda *_: description, tmp_path)
