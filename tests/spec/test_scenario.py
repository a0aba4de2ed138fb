from __future__ import annotations

from pathlib import Path

import pytest

from lab.model.address import Count
from lab.model.expectation import (
    ConntrackEntry,
    Outcome,
    OutcomeIs,
    Packets,
    RuleCounter,
    ServerSaw,
)
from lab.model.scenario import Article, Backend, Connect, Run, Serve, Target
from lab.spec.scenario import load_scenario
from tests.spec.conftest import Mistakes, Read
from tests.spec.plain_loader import no_loader

SINGLE_NIC_FORWARD = """\
# yaml-language-server: $schema=lab.schema.json
name: single-nic-forward
title: Port forwarding with one NIC, and the SNAT rule that makes it work
article: {document: "003", section: "三", experiments: [D3-02, D3-03a, D3-04a]}
topology: single-nic
matrix: {iptables: [nft, legacy]}

steps:
  - on: b
    serve: {tcp: 80}                                  # the SO_ORIGINAL_DST server

  - name: the two rules that look right
    on: a
    run: |
      sysctl -w net.ipv4.ip_forward=1
      iptables -t nat -A PREROUTING -d 192.168.1.34 -p tcp --dport 81 -j DNAT --to 192.168.1.32:80
      iptables -t nat -A POSTROUTING -s 192.168.1.32 -j SNAT --to-source 192.168.1.34

  - name: B answers the client directly and the client resets
    connect: {from: client, to: "192.168.1.34:81"}
    expect:
      outcome: no-answer
      packets:
        - {at: "b:eth0",      tcp: "192.168.1.185 > 192.168.1.32:80", flags: S}
        - {at: "client:eth0", tcp: "192.168.1.32:80 > 192.168.1.185", flags: SA}
        - {at: "client:eth0", tcp: "192.168.1.185 > 192.168.1.32:80", flags: R}
      rules: {on: a, table: nat, chain: POSTROUTING, rule: 1, packets: 0}

  - connect: {from: client, to: "192.168.1.34:81"}
    expect:
      outcome: connected
      server: {node: b, source: 192.168.1.34, dest: "192.168.1.32:80"}
      conntrack:
        on: a
        original: "192.168.1.185 > 192.168.1.34:81"
        reply: "192.168.1.32:80 > 192.168.1.34"
        status: ASSURED
"""

MINIMAL = """
topology: single-nic
steps:
  - ping: {from: client, to: b}
"""


def test_a_scenario_of_an_article(tmp_path: Path) -> None:
    path = tmp_path / "single-nic-forward.lab.yaml"
    path.write_text(SINGLE_NIC_FORWARD)
    scenario = load_scenario(path, no_loader)
    assert scenario.name == "single-nic-forward"
    assert scenario.path == str(path)
    assert scenario.article == Article("003", "三", ("D3-02", "D3-03a", "D3-04a"))
    assert scenario.backends == (Backend.NFT, Backend.LEGACY)
    assert scenario.topology.name == "single-nic"
    serve, rules, broken, cured = scenario.steps
    assert (serve.on, serve.action) == ("b", Serve(tcp=(80,)))
    assert isinstance(rules.action, Run)
    assert rules.action.line == 15
    assert rules.location.line == 12
    assert isinstance(broken.action, Connect)
    assert str(broken.action.to.ip) == "192.168.1.34"
    outcome, packets, counter = broken.expect
    assert isinstance(outcome, OutcomeIs)
    assert outcome.outcome is Outcome.NO_ANSWER
    assert outcome.location.line == 22
    assert isinstance(packets, Packets)
    assert [(packet.node, packet.flags) for packet in packets.packets] == [
        ("b", "S"),
        ("client", "SA"),
        ("client", "R"),
    ]
    assert isinstance(counter, RuleCounter)
    assert counter.packets == Count.exactly(0)
    _, server, entry = cured.expect
    assert isinstance(server, ServerSaw)
    assert str(server.dest) == "192.168.1.32:80"
    assert isinstance(entry, ConntrackEntry)
    assert entry.status == ("ASSURED",)
    assert str(entry.original) == "192.168.1.185 > 192.168.1.34:81"


def test_a_scenario_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my-case.lab.yaml"
    path.write_text(MINIMAL)
    assert load_scenario(path, no_loader).name == "my-case"


def test_a_scenario_runs_on_both_backends_unless_it_says_otherwise(read: Read) -> None:
    assert read(MINIMAL).backends == (Backend.NFT, Backend.LEGACY)
    assert read(f"matrix: {{iptables: legacy}}\n{MINIMAL}").backends == (Backend.LEGACY,)


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.lab.yaml").write_text(MINIMAL)
    scenario = load_scenario(Path("x.lab.yaml"), no_loader)
    assert scenario.path == str(tmp_path / "x.lab.yaml")
    assert str(scenario.steps[0].location) == "x.lab.yaml:4:5"


def test_files_are_relative_to_the_scenario(read: Read, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    scenario = read(f"files: [rules, /]\n{MINIMAL}")
    assert scenario.files == (str(tmp_path / "rules"), "/")


def test_a_file_that_is_listed_may_be_restored(read: Read, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}.rules"
    outside.write_text("*filter\nCOMMIT\n")
    text = f"topology: single-nic\nsteps: [{{on: a, restore: {{file: ../{outside.name}}}}}]\n"
    scenario = read(f"files: [../{outside.name}]\n{text}")
    assert scenario.steps[0].action.text == "*filter\nCOMMIT\n"  # type: ignore[union-attr]


def test_a_link_that_leads_outside_is_outside(mistakes: Mistakes, tmp_path: Path) -> None:
    (tmp_path / "rules").symlink_to("/etc/hosts")
    text = "topology: single-nic\nsteps: [{on: a, restore: {file: rules}}]\n"
    assert mistakes(text) == ["'rules' is outside the scenario's folder"]


def test_a_node_stands_for_its_first_address(read: Read) -> None:
    (step,) = read(MINIMAL).steps
    assert step.action.to == Target(  # type: ignore[union-attr]
        read(MINIMAL).topology.addresses("b")[0], None, "b"
    )


def test_mistakes_of_all_parts_are_told_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    assert mistakes(
        """
        topology:
          nodes: {a: {}, b: {kind: ruoter}}
          links: [{endpoints: [a, c]}]
        matrix: {iptables: nftables}
        steps:
          - ping: {from: d, to: a}
            timeout: soon
        """
    ) == [
        "expected host, router or switch, got text 'ruoter'",
        "unknown node 'c'",
        "expected nft or legacy, got text 'nftables'",
        "unknown node 'd'",
        "expected a duration, got text 'soon'",
    ]


def test_a_mistake_in_the_topology_brings_no_others_with_it(mistakes: Mistakes) -> None:
    assert mistakes(
        """
        topology:
          nodes: {a: {routes: [default via 10.0.0.2]}, b: {}}
          links: [{endpoints: ["a:eth0", "b:eth0"], ipv4: [10.0.0.1/24, 10.0.0.2]}]
        steps:
          - connect: {from: a, to: "b:80"}
            expect: {packets: [{at: "b:eth1", tcp: "a > b:80"}]}
        """
    ) == ["'10.0.0.2' has no prefix length"]


def test_a_step_with_a_mistake_is_still_read_for_others(mistakes: Mistakes) -> None:
    assert mistakes(
        """
        topology: single-nic
        steps:
          - connect: {frm: client, to: "192.168.1.256:80", times: many}
            expect: {outcom: refused, server: {node: bb}}
        """
    ) == [
        "unknown key 'frm'",
        "'192.168.1.256' is no address: octet 256 (> 255) not permitted",
        "expected a whole number, got text 'many'",
        "unknown key 'outcom'",
        "unknown node 'bb'",
    ]
