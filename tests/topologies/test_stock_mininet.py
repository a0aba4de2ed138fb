"""The bundled topologies in Debian's own Mininet: `mn --custom FILE --topo NAME`.

Mininet ends processes by name and removes files in /tmp when something goes wrong, and sets kernel
settings for the whole machine. It runs in user, PID, mount and network namespaces of its own, so
that there is nothing for it to end, remove or set.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.model.topology import Kind
from lab.spec.bundled import bundled
from lab.spec.topology import bundled_topologies, load_topology
from tests.spec.plain_loader import no_loader

pytestmark = pytest.mark.slow

PACKAGES = ("mininet", "bridge-utils")
# Debian's package is for Debian's Python, and the tests' own may lie below /tmp or /root.
PYTHON = "/usr/bin/python3"
NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "--mount", "--pid", "--net"),
    *("--fork", "--mount-proc", "--kill-child"),
)
IN_NAMESPACES = """
mount --make-rprivate /
mount -t tmpfs tmpfs /root
mkdir /root/mininet /root/custom
mount --bind "$1" /root/mininet
cp "$2" "$3" /root/custom
mount -t tmpfs tmpfs /tmp
export HOME=/root PYTHONPATH=/root/mininet/usr/lib/python3/dist-packages
export PATH=/root/mininet/usr/bin:/root/mininet/sbin:/root/mininet/usr/sbin:/usr/sbin:/sbin:$PATH
cd /root/custom
exec "$4" /root/mininet/usr/bin/mn --custom "${2##*/},${3##*/}" --topo "$5" \\
    --switch lxbr --controller none --test probe
"""


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def mininet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's Mininet, unpacked but not installed."""
    for tool in ("apt-get", "dpkg", "unshare", "ifconfig", PYTHON):
        if shutil.which(tool, path="/usr/bin:/usr/sbin:/bin:/sbin") is None:
            pytest.skip(f"Mininet from Debian needs {tool}")
    if run(PYTHON, "-c", "import distutils").returncode:
        pytest.skip(f"Mininet 2.3.0 needs distutils, which {PYTHON} has not")
    if run(*NAMESPACES, "true").returncode:
        pytest.skip("this machine allows no user namespaces")
    folder = tmp_path_factory.mktemp("debian")
    for package in PACKAGES:
        downloaded = run("apt-get", "download", package, cwd=folder)
        if downloaded.returncode:
            pytest.skip(f"apt-get download {package}: {downloaded.stderr.strip()}")
    for package in folder.glob("*.deb"):
        assert run("dpkg", "-x", str(package), str(folder / "unpacked")).returncode == 0
    return folder / "unpacked"


def probed(mininet: Path, name: str) -> dict[str, Any]:
    """What the hosts of a topology have once stock Mininet has built it."""
    file = bundled("topologies") / f"{name.replace('-', '_')}.py"
    probe = Path(__file__).parent / "probe.py"
    ran = run(
        *NAMESPACES,
        *("sh", "-ec", IN_NAMESPACES, "sh"),
        *(str(mininet), str(file), str(probe), PYTHON, name),
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("PROBE ")]
    assert lines, ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(lines[0].removeprefix("PROBE "))
    return found


@pytest.mark.parametrize("name", bundled_topologies())
def test_stock_mininet_builds_the_same(mininet: Path, name: str) -> None:
    found = probed(mininet, name)
    topology = load_topology(name, no_loader)
    hosts = [node for node in topology.nodes if node.kind is not Kind.SWITCH]
    assert {node: state["addresses"] for node, state in found.items()} == {
        node.name: {
            interface.name: [str(address) for address in interface.addresses]
            for interface in topology.interfaces(node.name)
        }
        for node in hosts
    }
    assert {node: state["gateway"] for node, state in found.items()} == {
        node.name: [str(route.via) for route in node.routes] for node in hosts
    }
    assert all(all(state.get("reaches", {}).values()) for state in found.values())
