"""A scenario examined: what survives, what is noticed and by whom, and what is marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.conftest import Mutate
from tests.mutation.scenarios import PAIR, write

SCENARIO = (
    PAIR.replace("client: {}", "client: {routes: [10.9.0.0/16 via 10.0.0.2]}").replace(
        "server: {}", "server: {sysctls: {net.ipv4.ip_forward: 1}, exec: [ip link set lo up]}"
    )
    + """\
  - on: server
    serve: {tcp: 80}
  - name: needed
    on: server
    run: iptables -A INPUT -p tcp --dport 81 -j REJECT --reject-with icmp-admin-prohibited
  - name: nobody would miss it
    on: server
    run: iptables -A OUTPUT -p tcp --dport 9 -j DROP
  - name: nor this, and it says so
    on: server
    run: |
      iptables -A OUTPUT -p tcp --dport 10 -j DROP  # unneeded: the article has it
  - name: only a later command misses it
    on: server
    run: iptables -N SPARE
  - name: only a listing shows it
    on: server
    run: iptables -P FORWARD DROP
  - connect: {from: client, to: "10.0.0.2:81"}
    expect: {outcome: unreachable, icmp: admin-prohibited}
  - connect: {from: client, to: "10.0.0.2:80"}
  - on: server
    run: "iptables -E SPARE OLD  # unneeded: tidying up"
  - on: server
    check: {policies: {filter/FORWARD: DROP}}
  - name: a word that could be many
    on: server
    run: echo abc
    expect: {stdout: a}
# unneeded: client: 10.9.0.0/16 via 10.0.0.2: nobody goes there
# unneeded: server: ip link set lo up: it is
"""
)


def examined(mutate: Mutate, path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    ended = mutate(path, *arguments, "--json", "-")
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def verdicts(document: dict[str, Any], kind: str) -> dict[str, str]:
    (case,) = document["cases"]
    assert not case["fault"], case["fault"]
    return {
        mutant["what"]: mutant["verdict"] for mutant in case["mutants"] if mutant["kind"] == kind
    }


@pytest.fixture(scope="module")
def document(mutate: Mutate, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    code, found = examined(mutate, write(tmp_path_factory.mktemp("scenario"), SCENARIO))
    assert code == 1
    return found


def test_a_command_has_the_verdict_of_whoever_notices_its_loss(document: dict[str, Any]) -> None:
    reject = "iptables -A INPUT -p tcp --dport 81 -j REJECT --reject-with icmp-admin-prohibited"
    assert verdicts(document, "commands") == {
        reject: "traffic",
        "iptables -A OUTPUT -p tcp --dport 9 -j DROP": "survived",
        "iptables -A OUTPUT -p tcp --dport 10 -j DROP": "unneeded",
        "iptables -N SPARE": "exit code",
        "iptables -E SPARE OLD": "unneeded",
        "iptables -P FORWARD DROP": "listing",
        "client: 10.9.0.0/16 via 10.0.0.2": "unneeded",
        "server: net.ipv4.ip_forward=1": "survived",
        "server: ip link set lo up": "unneeded",
    }


def test_a_value_that_may_be_another_survives(document: dict[str, Any]) -> None:
    found = verdicts(document, "values")
    assert len(found) == 5
    assert [what for what, verdict in found.items() if verdict == "survived"] == [
        "text.contains: a altered to b"
    ]


def test_a_survivor_is_told_with_its_line(document: dict[str, Any]) -> None:
    (place,) = (
        mutant["location"]
        for mutant in document["cases"][0]["mutants"]
        if mutant["what"].endswith("--dport 9 -j DROP")
    )
    line = next(n for n, text in enumerate(SCENARIO.splitlines(), 1) if "--dport 9 " in text)
    assert place.endswith(f"pair.lab.yaml:{line}:1")


NUMBERED = """\
  - on: server
    run: |
      iptables -A INPUT -p tcp --dport 9 -j ACCEPT
      iptables -A INPUT -p tcp --dport 81 -j REJECT
      iptables -A INPUT -p tcp --dport 81 -j REJECT --reject-with tcp-reset
  - connect: {from: client, to: "10.0.0.2:81"}
    expect:
      outcome: refused
      rules:
        - {on: server, table: filter, chain: INPUT, rule: 1, packets: 0}
        - {on: server, table: filter, chain: INPUT, rule: 2, packets: 1}
"""


def test_a_rule_whose_number_changes_is_no_traffic(mutate: Mutate, tmp_path: Path) -> None:
    """The second rule is missed by its counter; the first one by those that count the others."""
    _, document = examined(mutate, write(tmp_path, PAIR + NUMBERED), "-k", "commands")
    found = verdicts(document, "commands")
    assert list(found.values()) == ["listing", "traffic", "survived"]


def test_a_command_in_its_own_step_proves_nothing(mutate: Mutate, tmp_path: Path) -> None:
    own = """\
  - on: server
    run: |
      iptables -A OUTPUT -d 10.0.0.1 -p icmp
      ping -c 1 10.0.0.1
    expect: {rules: {table: filter, chain: OUTPUT, rule: 1, hits: 1}}
"""
    _, document = examined(mutate, write(tmp_path, PAIR + own), "-k", "commands")
    assert list(verdicts(document, "commands").values()) == ["listing"]


def test_a_chain_is_needed_where_traffic_needs_its_rules(mutate: Mutate, tmp_path: Path) -> None:
    """Without the chain the next two commands fail; traffic notices all the same."""
    chain = """\
  - on: server
    run: |
      iptables -N WEB
      iptables -A WEB -j DROP
      iptables -A INPUT -p tcp -j WEB
  - connect: {from: client, to: "10.0.0.2:80"}
    expect: {outcome: no-answer}
"""
    code, document = examined(mutate, write(tmp_path, PAIR + chain), "-k", "commands")
    assert set(verdicts(document, "commands").values()) == {"traffic"}
    assert code == 0


def test_a_rule_set_is_taken_apart(mutate: Mutate, tmp_path: Path) -> None:
    restore = """\
  - on: server
    restore: |
      *filter
      :INPUT DROP [0:0]
      # unneeded: nobody asks
      -A INPUT -p udp -j ACCEPT
      -A INPUT -p icmp -j ACCEPT
      COMMIT
  - connect: {from: client, to: "10.0.0.2:80"}
    expect: {outcome: no-answer}
  - ping: {from: client, to: 10.0.0.2}
"""
    code, document = examined(mutate, write(tmp_path, PAIR + restore), "-k", "commands")
    assert verdicts(document, "commands") == {
        ":INPUT DROP [0:0]": "traffic",
        "-A INPUT -p udp -j ACCEPT": "unneeded",
        "-A INPUT -p icmp -j ACCEPT": "traffic",
    }
    assert code == 0


STALE = """\
  - on: server
    run: |
      ls  # unneeded: it only looks
      iptables -A INPUT -p tcp -j DROP  # unneeded: so they say
  - connect: {from: client, to: "10.0.0.2:80"}
    expect: {outcome: no-answer}
# unneeded: client: default via 10.0.0.2: there is none
"""


def test_a_marking_that_is_not_true_is_told(mutate: Mutate, tmp_path: Path) -> None:
    code, document = examined(mutate, write(tmp_path, PAIR + STALE), "-k", "commands")
    assert code == 1
    no_command, nothing, needed = document["stale"]
    assert "this marks no command: # unneeded: it only looks" in no_command
    assert "this marks nothing of the topology: client: default via 10.0.0.2" in nothing
    assert "traffic needs it: iptables -A INPUT -p tcp -j DROP" in needed


def test_a_scenario_that_fails_as_it_is_says_nothing(mutate: Mutate, tmp_path: Path) -> None:
    wrong = '  - connect: {from: client, to: "10.0.0.2:80"}\n'
    code, document = examined(mutate, write(tmp_path, PAIR + wrong))
    assert code == 1
    (case,) = document["cases"]
    assert case["mutants"] == []
    assert "it does not pass as it is: step 1" in case["fault"]
