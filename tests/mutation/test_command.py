"""The command that mutates scenarios: its table, its exit codes, its mistakes."""

from __future__ import annotations

from pathlib import Path

from tests.mutation.conftest import Mutate
from tests.mutation.scenarios import PAIR, write

SOUND = """\
  - on: server
    run: iptables -A INPUT -p tcp -j DROP
  - connect: {from: client, to: "10.0.0.2:80"}
    expect: {outcome: no-answer}
"""
WEAK = (
    SOUND
    + """\
  - on: server
    run: sysctl -w net.ipv4.ip_forward=1
"""
)


def test_a_table_counts_the_mutants_of_each_variant(mutate: Mutate, tmp_path: Path) -> None:
    ended = mutate(write(tmp_path, PAIR + SOUND))
    head, row, _, last = ended.stdout.splitlines()
    assert head.split()[:5] == ["scenario", "iptables", "commands", "traffic", "exit"]
    assert row.split() == ["pair", "nft", "1", "1", "0", "0", "0", "0", "1", "1", "0"]
    assert last.startswith("2 mutants, 0 survived in ")
    assert ended.stderr == ""
    assert ended.returncode == 0


def test_a_survivor_is_listed_and_the_exit_code_is_1(mutate: Mutate, tmp_path: Path) -> None:
    path = write(tmp_path, PAIR + WEAK)
    ended = mutate(path, "-k", "commands")
    line = len(path.read_text().splitlines())
    assert "nobody notices that these commands are gone (1):" in ended.stdout
    assert f"pair.lab.yaml:{line}:1: sysctl -w net.ipv4.ip_forward=1  [nft]" in ended.stdout
    assert ended.returncode == 1


def test_only_values_are_altered_where_only_these_are_asked_for(
    mutate: Mutate, tmp_path: Path
) -> None:
    ended = mutate(write(tmp_path, PAIR + WEAK), "-k", "values")
    assert ended.stdout.splitlines()[1].split()[2:] == ["0", "0", "0", "0", "0", "0", "1", "1", "0"]
    assert ended.returncode == 0


def test_a_scenario_with_a_mistake_is_not_run(mutate: Mutate, tmp_path: Path) -> None:
    ended = mutate(write(tmp_path, PAIR + "  - ping: {from: nobody, to: 10.0.0.2}\n"))
    assert "pair.lab.yaml" in ended.stderr
    assert "nobody" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_a_scenario_that_is_not_there_is_told(mutate: Mutate) -> None:
    ended = mutate("port-foward")
    assert "did you mean" in ended.stderr
    assert ended.returncode == 2
