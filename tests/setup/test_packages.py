"""Debian packages that a machine lacks: installed for root, named to everybody else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Shell

# In a user namespace of its own, which needs no root: $1 are the files and folders to hide, the
# rest is the command.
HIDE = """
for path in $1; do
    if [ -d "$path" ]; then mount -t tmpfs none "$path"; else mount --bind /dev/null "$path"; fi ||
        exit 125
done
shift
exec "$@"
"""
ROOT_WITHOUT = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", HIDE, "hide")
AS_ORDINARY_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def program(name: str) -> str:
    path = shutil.which(name, path="/usr/sbin:/usr/bin")
    assert path is not None
    return path


@pytest.fixture
def lab(clone: Path) -> Path:
    return clone / "tools" / "lab"


def test_an_ordinary_user_is_told_the_command(shell: Shell, lab: Path) -> None:
    hidden = f"{program('dnsmasq')} {program('conntrack')}"

    result = shell.run(*ROOT_WITHOUT, hidden, *AS_ORDINARY_USER, lab, "--help")

    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    assert result.stderr == (
        "tools/lab: this machine lacks what these Debian packages bring: dnsmasq-base conntrack\n"
        "tools/lab:     sudo apt-get install --no-install-recommends dnsmasq-base conntrack\n"
    )


def test_tools_and_python_are_told_in_one_go(shell: Shell, lab: Path) -> None:
    ensurepip = " ".join(map(str, Path("/usr/lib").glob("python3*/ensurepip")))
    hidden = f"{program('nft')} {ensurepip}"

    result = shell.run(
        *ROOT_WITHOUT, hidden, *AS_ORDINARY_USER, lab, "--help", PATH="/usr/bin:/bin"
    )

    assert result.returncode == 3, result.stderr
    assert result.stderr.endswith(
        " apt-get install --no-install-recommends nftables python3-venv\n"
    )


def test_what_only_adds_comfort_is_not_required(shell: Shell, lab: Path) -> None:
    result = shell.run(
        *ROOT_WITHOUT, program("tcpdump"), *AS_ORDINARY_USER, lab, "--help", LAB_VENV="/proc/none"
    )

    assert "tools/lab: useful, but not here: tcpdump\n" in result.stderr
    assert "lacks" not in result.stderr


@pytest.fixture
def apt_get(tmp_path: Path) -> Path:
    """Make an apt-get that installs dnsmasq once it has its lists; give the folder it is in."""
    script = tmp_path / "apt-get"
    script.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >>{tmp_path}/asked\n'
        "echo Reading package lists...\n"
        'case "$*" in\n'
        f"    *update) touch {tmp_path}/lists ;;\n"
        f"    *) [ -e {tmp_path}/lists ] && umount {program('dnsmasq')} ;;\n"
        "esac\n"
    )
    script.chmod(0o755)
    return tmp_path


def test_root_gets_the_packages_installed(shell: Shell, lab: Path, apt_get: Path) -> None:
    path = f"{apt_get}:{shell.environ['PATH']}"

    result = shell.run(
        *ROOT_WITHOUT, program("dnsmasq"), lab, "--help", PATH=path, LAB_VENV="/proc/none"
    )

    options = "-q -y -o DPkg::Lock::Timeout=600"
    install = f"{options} install --no-install-recommends dnsmasq-base"
    asked = (apt_get / "asked").read_text().splitlines()
    assert asked == [install, f"{options} update", install]
    assert result.stdout == ""
    assert "tools/lab: installing dnsmasq-base\n" in result.stderr
    assert "lacks" not in result.stderr


def test_root_is_shown_why_apt_get_failed(shell: Shell, lab: Path, tmp_path: Path) -> None:
    script = tmp_path / "apt-get"
    script.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    script.chmod(0o755)

    result = shell.run(
        *ROOT_WITHOUT, program("dnsmasq"), lab, PATH=f"{tmp_path}:{shell.environ['PATH']}"
    )

    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    assert "E: Unable to locate package\n" in result.stderr
    assert result.stderr.endswith(" apt-get install --no-install-recommends dnsmasq-base\n")


def test_none_of_the_packages_starts_a_service(clone: Path) -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("not a Debian machine: no dpkg-query")
    units = {Path(path).name for path in files_of(packages(clone)) if "/systemd/system/" in path}

    enabled = {link.name for link in Path("/etc/systemd/system").glob("*.wants/*")}

    assert enabled & units == set()


def packages(clone: Path) -> set[str]:
    every_need = 'source "$0"; printf "%s\\n" "${REQUIRED[@]}" "${USEFUL[@]}" "${PYTHON[@]}"'
    machine = clone / "tools" / "setup" / "machine.sh"
    needs = subprocess.check_output(["bash", "-c", every_need, machine], text=True)
    return {need.split()[0] for need in needs.splitlines()}


def files_of(names: set[str]) -> list[str]:
    """List the files of the packages that are installed here."""
    listing = subprocess.run(
        ["dpkg-query", "--listfiles", *names], capture_output=True, text=True, check=False
    )
    return listing.stdout.splitlines()
