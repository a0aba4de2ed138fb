"""Whatever stands in a file: it is a scenario, or the user is told what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.model.errors import BadInput
from lab.model.scenario import Scenario
from lab.spec.catalogue import find_scenarios
from lab.spec.misfit import Misfit
from lab.spec.scenario import load_scenario, parse_scenario
from lab.spec.schema import json_schema
from lab.spec.topology_reference import parse_reference
from tests.spec.plain_loader import no_loader

T = TypeVar("T")

pytestmark = pytest.mark.slow

THOROUGH = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

VALID: dict[str, Any] = {
    "name": "valid",
    "title": "A scenario that has a bit of everything",
    "article": {"document": "003", "section": "三", "experiments": ["D3-02"]},
    "matrix": {"iptables": ["nft", "legacy"]},
    "files": ["."],
    "topology": {
        "nodes": {
            "client": {"routes": ["default via 10.0.0.1", "blackhole 10.9.0.0/16"]},
            "r": {"kind": "router", "sysctls": {"net.ipv4.ip_forward": 1}, "exec": ["ip addr"]},
            "lan": {"kind": "switch", "bridge-nf-call-iptables": True},
            "b": {"notes": ["a server"]},
        },
        "links": [
            {
                "endpoints": ["client:eth0", "r:eth0"],
                "ipv4": ["10.0.0.2/24", "10.0.0.1/24"],
                "ipv6": {"client": "fd00::2/64", "r": ["fd00::1/64"]},
                "mtu": 1400,
            },
            {"endpoints": ["r", "lan"], "ipv4": "10.0.1.1/24", "mac": "02:00:00:00:00:01"},
            {"endpoints": ["b", "lan:p7"], "ipv4": "10.0.1.2/24"},
        ],
    },
    "steps": [
        {"on": "b", "serve": {"tcp": [80, 81], "udp": 53}},
        {"on": "r", "run": "iptables -F\n", "expect": {"exit": 0, "stdout": "x"}, "timeout": "2s"},
        {"on": "b", "run": "nc", "background": "nc", "wait": {"listening": "tcp/80"}},
        {
            "name": "a connection",
            "connect": {"from": "client", "to": "b:80", "source": "10.0.0.2:1024"},
            "wait": "500ms",
            "when": {"iptables": "nft"},
            "proves": ["D3-02"],
            "expect": {
                "outcome": "connected",
                "server": {"node": "b", "source": "r:eth1", "original": "ENOENT"},
                "client": {"source": "b:80"},
                "source_port": "kept",
                "conntrack": {"on": "r", "original": "client > b:80", "status": "ASSURED"},
                "packets": [{"at": "b:eth0", "tcp": "client > b:80", "flags": "SA", "ttl": 63}],
                "rules": [{"on": "r", "chain": "FORWARD", "rule": 1, "hits": ">=1"}],
            },
        },
        {"on": "r", "ping": {"to": "[fd00::2]", "count": 2}, "expect": {"outcome": "no-answer"}},
        {"on": "r", "restore": {"text": "*filter\nCOMMIT\n", "family": "ipv6", "noflush": True}},
        {
            "on": "r",
            "check": {
                "policies": {"filter/INPUT": "DROP"},
                "routes": ["10.0.0.0/24 dev eth0", {"text": "default", "present": False}],
                "neighbours": ["10.0.0.2"],
                "sysctls": {"net.ipv4.ip_forward": 1},
                "sockets": ["tcp 0.0.0.0:80"],
                "stdout": {"of": "nc", "matches": "^x"},
            },
        },
    ],
}


def keys_of(schema: object) -> set[str]:
    """Every key that the format knows."""
    if isinstance(schema, list):
        return {key for item in schema for key in keys_of(item)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {}))
    return own | {key for item in schema.values() for key in keys_of(item)}


WORDS = [
    *("client", "r:eth0", "lan", "b:80", "10.0.0.1", "10.0.0.1/24", "fd00::1", "[fd00::1]:80"),
    *("a > b", "default via 10.0.0.1", "single-nic", "x.py:Y", "x.py:Y(1)", "2s", ">=1", "1..3"),
    *("nft", "connected", "refused", "distinct", "tcp/80", "tcp 0.0.0.0:80", "dhcp", "nonzero"),
    *("switch", "router", "filter/INPUT", "DROP", "ENOENT", "net.ipv4.ip_forward", ":80", "(", "*"),
    *("02:00:00:00:00:01", "::", "0.0.0.0", "[", "]:", "..", "a:b:c", "%", "\0", "\ud800", " "),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(WORDS),
)
KEYS = st.one_of(st.sampled_from(sorted(keys_of(json_schema()))), st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every value in a document."""
    found = [path]
    if isinstance(value, dict):
        found += [place for key, item in value.items() for place in places(item, (*path, key))]
    if isinstance(value, list):
        found += [
            place for index, item in enumerate(value) for place in places(item, (*path, index))
        ]
    return found


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """The valid document with a few of its values replaced, removed or added to."""
    document = json.loads(json.dumps(VALID))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from([place for place in places(document) if place]))
        owner = document
        for part in path[:-1]:
            owner = owner[part]
        match draw(st.sampled_from(["replace", "remove", "add", "copy"])):
            case "replace":
                owner[path[-1]] = draw(st.one_of(SCALARS, VALUES))
            case "remove":
                del owner[path[-1]]
            case "add" if isinstance(owner, dict):
                owner[draw(KEYS)] = draw(VALUES)
            case _ if isinstance(owner, list):
                owner.insert(0, owner[path[-1]])
            case _:
                owner[path[-1]] = [owner[path[-1]], draw(SCALARS)]
    return document


def read_or_tell(read: Callable[[], T]) -> T | None:
    """What was read, or None when mistakes were told; anything else is an error of ours."""
    try:
        return read()
    except BadInput as error:
        told = error.mistakes
    assert told
    for mistake in told:
        assert mistake.message
        # What is told of an error of pydantic for which there are no words.
        assert not re.search(r" does not fit: \w+$", mistake.message)
    return None


def scenario_or_mistakes(text: str, folder: Path) -> Scenario | None:
    return read_or_tell(lambda: parse_scenario(text, folder / "test.lab.yaml", no_loader))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


def as_yaml(document: object) -> str:
    """JSON is YAML, but for the numbers that JSON has not."""
    text = json.dumps(document, ensure_ascii=True)
    return text.replace("NaN", ".nan").replace("-Infinity", "-.inf").replace("Infinity", ".inf")


def test_the_document_that_is_mutated_is_valid(folder: Path) -> None:
    assert scenario_or_mistakes(as_yaml(VALID), folder) is not None


@settings(THOROUGH, max_examples=5000)
@given(document=mutations())
def test_a_mutation_of_a_scenario(folder: Path, document: dict[str, Any]) -> None:
    scenario_or_mistakes(as_yaml(document), folder)


@settings(THOROUGH, max_examples=2500)
@given(document=VALUES)
def test_any_value(folder: Path, document: object) -> None:
    scenario_or_mistakes(as_yaml(document), folder)


@settings(THOROUGH, max_examples=1000)
@given(text=st.text())
def test_any_text(folder: Path, text: str) -> None:
    scenario_or_mistakes(text, folder)


@settings(THOROUGH, max_examples=1000)
@given(text=st.text(alphabet="ab:-,[]{}&*!|>'\"%@#?0 \n\t", max_size=60))
def test_any_text_of_yaml_s_own_signs(folder: Path, text: str) -> None:
    scenario_or_mistakes(text, folder)


@settings(THOROUGH, max_examples=500)
@given(content=st.binary(max_size=200))
def test_any_bytes(folder: Path, content: bytes) -> None:
    path = folder / "bytes.lab.yaml"
    path.write_bytes(content)
    read_or_tell(lambda: load_scenario(path, no_loader))


@settings(THOROUGH, max_examples=500)
@given(text=st.one_of(st.text(), st.text().map(lambda call: f"x.py:{call}")))
def test_any_name_of_a_topology(text: str) -> None:
    with suppress(Misfit):
        parse_reference(text)


@settings(THOROUGH, max_examples=200)
@given(argument=st.text())
def test_any_argument(argument: str) -> None:
    read_or_tell(lambda: find_scenarios([argument]))
