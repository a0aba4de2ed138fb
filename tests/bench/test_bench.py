"""Both contenders of the benchmark make the same star of hosts, and it works."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools.bench import star
from tools.bench.contender import Contender, prove_star
from tools.bench.floor import build_floor
from tools.bench.timing import Comparison, compare

ROOT = Path(__file__).parents[2]
HOSTS = 3

# A carrier that has just come up is told by the kernel a moment later.
SHOW = """\
for try in $(seq 200); do
  ip -o link show | grep -v LOOPBACK | grep -qv 'state UP' || break
  sleep 0.05
done
ip -j -d link show
ip -j address show
ip -j route show table all
ip -j -6 route show table all
bridge -j -d link show
bridge -j fdb show
sysctl --all --ignore --pattern '^net[.](bridge|ipv4[.](conf|ip_forward)|ipv6[.]conf)' 2>&1
"""
# Those of a bridge and its ports run all the time.
TIMERS = (
    "forward_delay_timer",
    "gc_timer",
    "hello_timer",
    "hold_timer",
    "message_age_timer",
    "tcn_timer",
    "topology_change_timer",
)


@pytest.fixture(autouse=True)
def this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Contender:
    return Contender(build_floor(tmp_path_factory.mktemp("floor")))


@pytest.fixture(params=["lab", "floor"])
def contender(request: pytest.FixtureRequest, floor: Contender) -> Contender:
    return Contender() if request.param == "lab" else floor


def output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def network(contender: Contender, node: int) -> list[str]:
    """What the kernel shows of a node's network: a line of JSON, or of text, for each thing."""
    lines = []
    for line in output(contender.command_in(node, SHOW, HOSTS)).splitlines():
        if line.startswith("[{"):
            for thing in json.loads(line):
                stop_timers(thing)
                lines.append(json.dumps(thing, sort_keys=True))
        else:
            lines.append(line)
    # equal routes come in the order in which their links got a carrier
    return sorted(lines)


def stop_timers(thing: dict[str, object]) -> None:
    for key, value in thing.items():
        if key in TIMERS:
            thing[key] = 0
        elif isinstance(value, dict):
            stop_timers(value)


def test_a_star_is_timed_and_the_kernel_refuses_nothing(contender: Contender) -> None:
    told = json.loads(output(contender.command(HOSTS)))

    assert (told["hosts"], told["errors"]) == (HOSTS, 0)
    assert told["setup_s"] > 0
    assert told["teardown_s"] > 0


def test_the_engine_tells_planning_and_building_apart() -> None:
    told = json.loads(output(Contender().command(HOSTS)))

    assert told["plan_s"] + told["build_s"] == pytest.approx(told["setup_s"])


def test_the_first_host_reaches_the_last(contender: Contender) -> None:
    prove_star(contender, HOSTS)


@pytest.mark.parametrize("node", range(HOSTS + 1))
def test_both_networks_are_the_same_to_the_last_setting(floor: Contender, node: int) -> None:
    ours = network(Contender(), node)

    assert ours == network(floor, node)
    names = {json.loads(line).get("ifname") for line in ours if line.startswith("{")}
    assert {"br0", "p1", "p2", "p3"} <= names if node == 0 else "eth0" in names


def test_a_command_that_fails_in_a_node_fails(contender: Contender) -> None:
    done = subprocess.run(contender.command_in(1, "exit 3", HOSTS), capture_output=True)

    assert done.returncode != 0


def test_neighbours_in_time_are_compared() -> None:
    assert compare([2.0, 6.0, 3.0], [1.0, 2.0, 3.0]) == Comparison(1.5, 2.0)


def test_a_bridge_bounds_the_size_of_a_star(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        star.main(["1024"])

    assert exit_code.value.code == 2
    assert "1024: a bridge has 1023 ports" in capsys.readouterr().err
