"""Nodes, as the commands that run there see them."""

from __future__ import annotations

from tests.sandbox.conftest import StartLab
from tests.sandbox.labs import RunningLab


def test_hosts_reach_each_other_through_a_router(lab: RunningLab) -> None:
    assert "1 received" in lab.output("a", "ping -c 1 -W 5 10.0.2.1")


def test_a_node_has_its_own_interfaces_and_no_other(lab: RunningLab) -> None:
    assert lab.output("a", "ls /sys/class/net").split() == ["eth0", "lo"]
    assert lab.output("r", "ls /sys/class/net").split() == ["eth0", "eth1", "lo"]


def test_a_node_is_called_by_its_name(lab: RunningLab) -> None:
    assert lab.output("a", "hostname; uname -n; cat /proc/sys/kernel/hostname").split() == ["a"] * 3


def test_a_nodes_name_stands_for_its_first_address(lab: RunningLab) -> None:
    assert lab.output("r", "getent ahostsv4 r | head -1").split()[0] == "10.0.1.254"
    assert lab.output("a", "getent ahostsv4 localhost | head -1").split()[0] == "127.0.0.1"


def test_a_node_asks_no_name_server(lab: RunningLab) -> None:
    assert lab.output("a", "cat /etc/resolv.conf") == ""


def test_a_node_sees_its_own_processes_alone(lab: RunningLab) -> None:
    assert lab.output("a", "ps -e -o args=; true").splitlines() == [
        "lab-node-init infinity",
        "bash -c ps -e -o args=; true",
        "ps -e -o args=",
    ]


def test_kill_of_all_processes_spares_other_nodes(lab: RunningLab) -> None:
    started = {
        node: lab.output(node, "sleep infinity >/dev/null 2>&1 & echo $!") for node in ("a", "b")
    }
    lab.run("a", "kill -9 -1")
    lab.output("a", f"while kill -0 {started['a']} 2>/dev/null; do :; done")
    assert lab.run("b", f"kill -0 {started['b']}").exit == 0
    assert lab.output("a", "echo alive") == "alive"


def test_an_orphan_is_reaped(lab: RunningLab) -> None:
    lab.output("a", "for i in 1 2 3; do (true &) ; done; (sleep 0 & sleep 0) & wait")
    assert "Z" not in lab.output("a", "ps -e -o stat=; true")


def test_each_node_has_places_of_its_own_for_pid_files_and_leases(lab: RunningLab) -> None:
    lab.output("a", "touch /run/a.pid /var/lib/a.leases /run/lock/a /run/netns/a")
    names = lab.output("b", "find /run /var/lib -name 'a*'; ls -d /run/lock /run/netns /var/run/")
    assert names.split() == ["/run/lock", "/run/netns", "/var/run/"]


def test_nodes_share_tmp(lab: RunningLab) -> None:
    lab.output("a", "echo shared >/tmp/from-a")
    assert lab.output("b", "cat /tmp/from-a") == "shared"


def test_a_command_runs_in_a_clean_environment(lab: RunningLab) -> None:
    names = lab.output("a", "env | cut -d= -f1 | sort").split()
    assert names == ["HOME", "LC_ALL", "PATH", "PWD", "SHLVL", "TERM", "_"]


def test_a_command_leads_a_session_of_its_own(lab: RunningLab) -> None:
    assert lab.output("a", "test $(ps -o sid= -p $$) = $$ && echo leads") == "leads"


def test_a_command_has_the_rights_that_network_tools_need(lab: RunningLab) -> None:
    script = """
        ip link set lo down
        ip link set lo up
        ip rule add from 10.9.9.9 table 77
        ip rule del from 10.9.9.9 table 77
        ip neigh add 10.0.1.77 lladdr 02:00:00:00:00:77 dev eth0
        ip neigh del 10.0.1.77 dev eth0
        tc qdisc add dev eth0 root pfifo
        tc qdisc del dev eth0 root
        sysctl -qw net.ipv4.conf.eth0.rp_filter=2
        sysctl -qw net.ipv4.conf.eth0.rp_filter=0
        nft list ruleset
        conntrack -L 2>/dev/null
        ping -c 1 -W 5 10.0.1.1
        timeout 0.01 tcpdump -Z root -i eth0 -w /dev/null || test $? = 124
    """
    done = lab.run("a", "set -e" + script)
    assert done.exit == 0, done.stderr


def test_a_node_lives_on_when_its_command_has_ended(start_lab: StartLab) -> None:
    lab = start_lab()
    lab.output("b", "nohup sleep infinity >/dev/null 2>&1 &")
    assert "sleep infinity" in lab.output("b", "ps -e -o args=")


def test_a_router_forwards_and_a_host_does_not(lab: RunningLab) -> None:
    forwarding = [lab.output(node, "cat /proc/sys/net/ipv4/ip_forward") for node in ("a", "r")]
    assert forwarding == ["0", "1"]


def test_two_labs_of_the_same_names_and_addresses_stand_side_by_side(start_lab: StartLab) -> None:
    one, other = start_lab(), start_lab()
    one.output("b", "iptables -A INPUT -p icmp -j DROP; touch /tmp/one")
    assert one.run("a", "ping -c 1 -W 0.2 10.0.0.2").exit == 1
    assert other.run("a", "ping -c 1 -W 5 10.0.0.2").exit == 0
    assert other.output("b", "iptables -S INPUT; find /tmp -name one") == "-P INPUT ACCEPT"


def test_one_lab_ends_and_the_other_stays(start_lab: StartLab) -> None:
    one, other = start_lab(), start_lab()
    assert one.end() == 0
    assert other.run("a", "ping -c 1 -W 5 10.0.0.2").exit == 0
