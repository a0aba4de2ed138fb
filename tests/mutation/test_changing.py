"""Which commands change a host's network, and which only look at it."""

from __future__ import annotations

import pytest

from tools.mutation.changing import changes_network, restores_rules
from tools.mutation.shell import read_script

CHANGING = (
    "iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to 192.168.1.1",
    "/usr/sbin/iptables -P INPUT DROP",
    "sudo iptables -F",
    "sudo -n -u root ip6tables -N WEB",
    "DEBUG=1 iptables-legacy -X",
    "iptables -L -Z",
    "iptables-restore --noflush",
    "ip6tables-nft-restore",
    "nft add table ip filter",
    "nft -f rules",
    "sysctl -w net.ipv4.ip_forward=1",
    "sysctl net.ipv4.ip_forward=1",
    "sysctl -p",
    "ip addr add 10.0.0.1/8 dev eth0",
    "ip -6 a a fd00::1/64 dev eth0",
    "ip route del default",
    "ip r replace default via 10.0.0.1",
    "ip link set eth0 up",
    "ip l s eth0 up",
    "ip neigh flush all",
    "ip rule add from 10.0.0.1 lookup 100",
    "ip -n blue route add default via 10.0.0.1",
    "ip netns exec blue iptables -F",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "echo 1 | sudo tee /proc/sys/net/ipv4/ip_forward",
    "route add default gw 10.0.0.1",
    "ifconfig eth0:1 10.0.0.2 netmask 255.0.0.0",
    "arp -s 10.0.0.2 02:00:00:00:00:01",
)
LOOKING = (
    "iptables -L",
    "iptables -t nat -nvL PREROUTING",
    "iptables -S",
    "iptables --list-rules INPUT",
    "iptables -C INPUT -j DROP",
    "iptables --version",
    "iptables-save",
    "iptables-restore --test",
    "nft list ruleset",
    "sysctl net.ipv4.ip_forward",
    "ip addr",
    "ip a s",
    "ip -br link show",
    "ip route get 10.0.0.1",
    "ip neigh",
    "ip netns list",
    "cat /proc/sys/net/ipv4/ip_forward",
    "echo iptables -F",
    "echo 1 > /tmp/file",
    "ifconfig eth0",
    "route -n",
    "arp -an",
    "ping -c 1 10.0.0.1",
    "A=1",
)


def any_changes(line: str) -> bool:
    return any(map(changes_network, read_script(line).commands))


@pytest.mark.parametrize("line", CHANGING)
def test_a_command_that_changes_the_network(line: str) -> None:
    assert any_changes(line)


@pytest.mark.parametrize("line", LOOKING)
def test_a_command_that_does_not(line: str) -> None:
    assert not any_changes(line)


def test_a_rule_set_is_taken_by_the_restoring_command_alone() -> None:
    restores = [
        restores_rules(each) for each in read_script("cat | sudo iptables-restore").commands
    ]
    assert restores == [False, True]
