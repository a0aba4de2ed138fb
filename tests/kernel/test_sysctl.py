"""Settings, written to the network namespace that the thread is in."""

from __future__ import annotations

import errno
import os

import pytest

from lab.kernel import sysctl
from lab.kernel.namespaces import Namespace, hold, inside_net, unshare
from tests.kernel.own_network import own_network, run

FORWARD = "net.ipv4.ip_forward"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0.rp_filter", "/proc/sys/net/ipv4/conf/eth0/rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
    ],
)
def test_a_key_is_a_path(key: str, path: str) -> None:
    assert str(sysctl.path_of(key)) == path


@own_network
def test_what_is_written_is_read_by_everybody() -> None:
    sysctl.write(FORWARD, "1")
    assert sysctl.read(FORWARD) == "1"
    assert run(f"sysctl -n {FORWARD}") == "1\n"


@own_network
def test_a_value_of_several_numbers_is_read_as_sysctl_prints_it() -> None:
    sysctl.write("net.ipv4.ip_local_port_range", "1024  2047")
    assert sysctl.read("net.ipv4.ip_local_port_range") == "1024 2047"


@own_network
def test_a_dot_in_an_interfaces_name_is_written_as_a_slash() -> None:
    run("ip link add eth0.100 type bridge")
    sysctl.write("net.ipv4.conf.eth0/100.rp_filter", "2")
    assert run("sysctl -n net.ipv4.conf.eth0/100.rp_filter") == "2\n"


@own_network
def test_each_network_namespace_has_values_of_its_own() -> None:
    home = hold(Namespace.NET)
    sysctl.write(FORWARD, "1")
    unshare(Namespace.NET)
    assert sysctl.read(FORWARD) == "0"
    with inside_net(home, hold(Namespace.NET)):
        assert sysctl.read(FORWARD) == "1"


@own_network
@pytest.mark.parametrize(
    ("key", "value", "number"),
    [
        ("net.ipv4.no_such_key", "1", errno.ENOENT),
        ("net.ipv4.ip_forward", "yes", errno.EINVAL),
        ("net.ipv4.conf.all.mc_forwarding", "1", errno.EACCES),
        ("net.netfilter.nf_conntrack_max", "65536", errno.EACCES),
    ],
)
def test_what_the_kernel_refuses_is_an_error(key: str, value: str, number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)):
        sysctl.write(key, value)


@own_network
def test_a_value_that_the_kernel_takes_and_does_not_keep_is_an_error_too() -> None:
    with pytest.raises(OSError, match=f"{FORWARD} is still 1 after 1 0 was written"):
        sysctl.write(FORWARD, "1 0")
