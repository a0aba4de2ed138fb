"""The report that a person reads, against the golden texts in golden/."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import pytest

from lab.model.events import (
    CommandRan,
    Event,
    Flow,
    Mismatch,
    Observation,
    RunFinished,
    ServerSeen,
    Status,
)
from lab.report.lines import cells
from lab.report.printers import printer_for
from lab.report.terminal import Terminal
from tests.report.runs import (
    FOLDER,
    LAB_DIED,
    lab_events,
    run_started,
    scenario_started,
    shuffled_labs,
    skipped_variant,
    step_finished,
    step_started,
    whole_run,
)
from tests.report.streams import Log, Screen

GOLDEN = Path(__file__).with_name("golden")


def show(events: list[Event], stream: TextIO, *, verbose: bool = False) -> None:
    terminal = Terminal(printer_for(stream), verbose=verbose, cwd=FOLDER)
    for event in events:
        terminal.event(event)
    terminal.close()


def golden(name: str) -> str:
    return (GOLDEN / name).read_text("utf-8")


def test_a_log_is_plain(log: Log) -> None:
    show(whole_run(), log)
    assert log.text == golden("plain.txt")


def test_a_long_report_has_the_commands(log: Log) -> None:
    show(whole_run(), log, verbose=True)
    assert log.text == golden("verbose.txt")


def test_an_ascii_log_gets_ascii(ascii_log: Log) -> None:
    show(whole_run(), ascii_log)
    assert ascii_log.text == golden("ascii.txt")


@pytest.mark.usefixtures("c_locale")
def test_the_c_locale_gets_ascii_although_python_writes_utf8(log: Log) -> None:
    show(whole_run(), log)
    assert log.text == golden("ascii.txt")


def test_a_terminal_gets_colours(screen: Screen) -> None:
    show(whole_run(), screen)
    assert screen.getvalue().replace("\x1b", "^[") == golden("colour.txt")


def test_a_narrow_terminal_gets_short_lines(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show(whole_run(), screen)
    assert without_colours(screen) == golden("narrow.txt")
    assert max(map(cells, without_colours(screen).splitlines())) <= 40


def without_colours(screen: Screen) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())


def test_no_color_is_honoured(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    show(whole_run(), screen)
    assert "\x1b[3" not in screen.getvalue()
    assert "port-forward" in screen.getvalue()


def test_labs_side_by_side_are_told_one_after_the_other(log: Log) -> None:
    show(shuffled_labs(3, [0, 1, 2] * 40), log)
    lines = log.text.splitlines()
    headings = [number for number, line in enumerate(lines) if line.startswith("port-forward  ")]
    assert len(headings) == 3
    first, second = lines[headings[0] : headings[1]], lines[headings[1] : headings[2]]
    drawing = golden("plain.txt").splitlines()[1:7]
    assert [line for line in first if line not in drawing] == [
        line for line in second if line not in drawing
    ]


def test_variants_of_one_topology_are_drawn_once(log: Log) -> None:
    show([run_started(), *lab_events(1, "nft"), *lab_events(2, "legacy")], log)
    assert log.text.count("┌─────┴─────┐") == 1
    assert log.text.count("note: ppp0: emulated by veth") == 2


def test_the_last_line_is_the_sums(log: Log) -> None:
    show(whole_run(), log)
    assert log.text.splitlines()[-1] == "2 passed, 1 failed, 2 skipped"
    assert log.text.endswith("skipped\n")


def test_a_run_cut_short_says_where_and_that(log: Log) -> None:
    end = RunFinished(passed=1, failed=0, skipped=0, seconds=0.2, interrupted=True)
    show([run_started(), *lab_events()[:8], end], log)
    assert log.text.splitlines()[-7:] == [
        "  ! the client reaches server 1 through port 80",
        "      client   10.10.10.10:40312 > 22.22.22.22:80  connected",
        "      server1  10.10.10.10:40312 > 192.168.1.1:80  original dest ENOENT",
        "      not finished",
        "",
        "interrupted",
        "1 passed, 0 failed, 0 skipped",
    ]


def test_a_lab_that_broke_is_told_and_summed_up(log: Log) -> None:
    end = RunFinished(passed=0, failed=0, skipped=0, seconds=0.2, broken=1)
    show([run_started(), scenario_started(), LAB_DIED, end], log)
    assert log.text.splitlines()[-6:] == [
        "  the lab broke: the runner of the lab died",
        "    killed by SIGKILL",
        "",
        "✗ port-forward.lab.yaml the lab broke: the runner of the lab died [nft]",
        "",
        "0 passed, 0 failed, 0 skipped",
    ]


def lines_of_step(log: Log, *details: Event, verbose: bool = False) -> list[str]:
    """What a passed step shows besides its name."""
    show(
        [
            run_started(),
            scenario_started(),
            step_started(1, "x", "connect"),
            *details,
            step_finished(1, "x", "connect"),
        ],
        log,
        verbose=verbose,
    )
    lines = log.text.splitlines()
    return lines[next(n for n, line in enumerate(lines) if line.startswith("  ✓ x")) + 1 :]


FLOW = Flow(
    lab=1,
    step=1,
    proto="udp",
    node="client",
    to="8.8.8.8:53",
    target="8.8.8.8:53",
    outcome="answered",
    source="10.10.10.10:5000",
    answer_source="8.8.8.8:53",
    answer_dest="10.10.10.10:5000",
)


def test_a_flow_other_than_tcp_names_its_protocol(log: Log) -> None:
    assert lines_of_step(log, FLOW) == ["      client  udp 10.10.10.10:5000 > 8.8.8.8:53  answered"]


def test_an_answer_from_elsewhere_is_shown(log: Log) -> None:
    assert lines_of_step(log, replace(FLOW, answer_source="192.168.1.1:53")) == [
        "      client  udp 10.10.10.10:5000 > 8.8.8.8:53      answered",
        "      client  udp 192.168.1.1:53 > 10.10.10.10:5000  the answer",
    ]


def test_a_recovered_original_destination_is_shown(log: Log) -> None:
    server = ServerSeen(
        node="vm", source="192.168.57.1:40000", dest="127.0.0.1:1234", original="192.168.57.3:80"
    )
    flow = replace(FLOW, proto="tcp", outcome="connected", server=server, answer_source="")
    assert lines_of_step(log, flow)[1] == (
        "      vm      192.168.57.1:40000 > 127.0.0.1:1234  original dest 192.168.57.3:80"
    )


def test_what_a_refusal_says_is_not_said_twice(log: Log) -> None:
    flow = replace(FLOW, proto="tcp", outcome="refused", detail="Connection refused")
    assert lines_of_step(log, flow) == ["      client  10.10.10.10:5000 > 8.8.8.8:53  refused"]


def test_an_unreachable_host_is_shown_with_its_icmp_code(log: Log) -> None:
    flow = replace(
        FLOW,
        proto="icmp",
        target="192.168.0.2",
        source="",
        outcome="unreachable",
        detail="host-unreachable",
        answer_source="",
    )
    assert lines_of_step(log, flow) == [
        "      client  icmp * > 192.168.0.2  unreachable (host-unreachable)"
    ]


def test_many_flows_are_shown_in_part_and_in_full_when_asked(log: Log) -> None:
    assert lines_of_step(log, *[FLOW] * 50)[9:] == [
        "      client  udp 10.10.10.10:5000 > 8.8.8.8:53  answered",
        "      and 40 more flows (-v shows them)",
    ]
    assert len(lines_of_step(Log(), *[FLOW] * 50, verbose=True)) == 50


def test_many_observations_are_shown_in_part(log: Log) -> None:
    seen = Observation(lab=1, step=1, kind="packet", node="router", text="S 10.0.0.1 > 10.0.0.2")
    assert lines_of_step(log, *[seen] * 12)[-1] == ("      and 2 more observations (-v shows them)")


def test_a_signal_that_ended_a_command_is_named(log: Log) -> None:
    ran = CommandRan(
        lab=1, step=1, node="vm", command="sleep 9\nsleep 8", exit=-9, stdout="", stderr="oh\n"
    )
    assert lines_of_step(log, ran, verbose=True) == [
        "      vm# sleep 9",
        "          sleep 8  killed by SIGKILL",
        "        oh",
    ]


def test_an_observation_takes_three_lines_of_a_terminal_at_most(screen: Screen) -> None:
    text = "tcp " + " ".join(f"10.0.0.{number}:80" for number in range(30))
    seen = Observation(lab=1, step=1, kind="conntrack", node="router", text=text)
    show(
        [
            scenario_started(),
            step_started(1, "x", "check"),
            seen,
            step_finished(1, "x", "check"),
            RunFinished(passed=1, failed=0, skipped=0, seconds=0.1),
        ],
        screen,
    )
    shown = [line for line in without_colours(screen).splitlines() if "10.0.0." in line]
    assert len(shown) == 3
    assert shown[2].endswith("…")


def test_a_drawing_wider_than_the_terminal_is_left_out(screen: Screen) -> None:
    wide = replace(scenario_started(), drawing=("─" * 100,))
    show([wide], screen)
    assert "─" * 40 not in screen.getvalue()
    assert "(the drawing of the topology needs 102 columns)" in without_colours(screen)


def test_a_value_of_several_lines_is_shown_below_its_field(log: Log) -> None:
    mismatch = Mismatch(field="stdout", expected="one\ntwo", observed="one\nthree")
    failed = step_finished(1, "x", "run", Status.FAILED, mismatches=(mismatch,))
    show([run_started(), scenario_started(), failed], log)
    assert log.text.splitlines()[-6:] == [
        "      stdout",
        "        expected  one",
        "                  two",
        "        observed  one",
        "                  three",
        "      at port-forward.lab.yaml:5:5",
    ]


def test_what_a_command_prints_does_not_reach_the_terminal_raw(screen: Screen) -> None:
    ran = CommandRan(
        lab=1, step=1, node="vm", command="x", exit=0, stdout="\x1b]0;title\x07", stderr=""
    )
    events = [scenario_started(), step_started(1, "x", "run"), ran, step_finished(1, "x", "run")]
    show(events, screen, verbose=True)
    assert "\x1b]" not in screen.getvalue()
    assert "^[]0;title^G" in screen.getvalue()


def test_a_variant_that_cannot_run_says_why_and_what_cures_it(log: Log) -> None:
    show([run_started(), skipped_variant(1)], log)
    assert log.text.splitlines() == [
        "port-forward  [iptables legacy]",
        "  – not run: iptables-legacy is not installed",
        "    get it with: sudo apt install iptables",
    ]


def test_a_lab_that_died_before_it_started_is_told(log: Log) -> None:
    show([run_started(), LAB_DIED], log)
    assert log.text.splitlines() == [
        "port-forward  [iptables nft]",
        "  the lab broke: the runner of the lab died",
        "    killed by SIGKILL",
    ]
