"""`restore`: a whole rule set at once."""

from __future__ import annotations

from pathlib import Path

from tests.steps.conftest import Play


def test_rules_are_restored_whole(play: Play, backend: str) -> None:
    played = play(
        """
- on: b
  run: iptables -A INPUT -p tcp --dport 22 -j ACCEPT
- on: b
  restore: |
    *filter
    :INPUT DROP [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    -A INPUT -p tcp --dport 80 -j REJECT --reject-with tcp-reset
    COMMIT
- on: b
  check:
    policies: {filter/INPUT: DROP}
    rules: {chain: INPUT, count: 1, rule: 1, text: "--dport 80"}
- {connect: {from: a, to: "b:80"}, expect: {outcome: refused}}
- {connect: {from: a, to: "b:81"}, expect: {outcome: no-answer}}
""",
        iptables=backend,
    )
    assert played.passed


def test_a_rule_that_is_refused_is_told_and_ends_the_scenario(play: Play, backend: str) -> None:
    played = play(
        """
- on: b
  restore: |
    *filter
    -A INPUT -p tcp --dport 80 -j ACCEPT
    -A INPUT -p tcp --dport 81 -j WEB
    COMMIT
- {on: b, run: "true"}
""",
        iptables=backend,
    )
    assert played.statuses == "failed skipped"
    told = played.reason(1)
    assert told.startswith("b: iptables-restore: ")
    words = {"nft": "Chain 'WEB' does not exist", "legacy": "Couldn't load target `WEB'"}
    assert words[backend] in told
    assert told.endswith("line 3: -A INPUT -p tcp --dport 81 -j WEB")


def test_what_is_restored_without_flush_adds_to_what_there_is(play: Play, backend: str) -> None:
    played = play(
        """
- {on: b, run: iptables -A INPUT -p tcp --dport 22 -j ACCEPT}
- on: b
  restore:
    noflush: true
    text: |
      *filter
      -A INPUT -p tcp --dport 80 -j ACCEPT
      COMMIT
- {on: b, check: {rules: {chain: INPUT, count: 2}}}
""",
        iptables=backend,
    )
    assert played.passed


def test_ipv6_has_rules_of_its_own(play: Play, backend: str) -> None:
    played = play(
        """
- on: b
  restore:
    family: ipv6
    text: |
      *filter
      -A INPUT -p tcp --dport 80 -j REJECT --reject-with icmp6-adm-prohibited
      COMMIT
- on: b
  check:
    rules:
      - {chain: INPUT, count: 1, family: ipv6}
      - {chain: INPUT, count: 0}
- connect: {from: a, to: "[fd00::2]:80"}
  expect: {outcome: unreachable, icmp: adm-prohibited}
- {connect: {from: a, to: "b:80"}, expect: {outcome: refused}}
""",
        iptables=backend,
    )
    assert played.passed


def test_a_file_of_rules_is_read_beside_the_scenario(play: Play, tmp_path: Path) -> None:
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "rules.v4").write_text("*filter\n-A INPUT -j DROP\nCOMMIT\n")
    played = play(
        """
- {on: b, restore: {file: rules.v4}}
- {on: b, check: {rules: {chain: INPUT, rule: 1, text: "-A INPUT -j DROP"}}}
"""
    )
    assert played.passed
