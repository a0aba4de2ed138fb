"""`lab plan`."""

from __future__ import annotations

import subprocess
import sys


def lab(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "lab", *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_the_plan_names_each_operation_by_its_node() -> None:
    lines = lab("plan", "port-forward").splitlines()
    assert "router: make a network namespace" in lines
    assert "router: set net.ipv4.ip_forward=1" in lines
    assert "router: add 22.22.22.22/24 to ppp0" in lines


def test_the_shell_script_is_what_one_would_type() -> None:
    lines = lab("plan", "port-forward", "--shell").splitlines()
    assert lines[:2] == ["#!/bin/sh", "set -e"]
    assert "ip -n router address add 22.22.22.22/24 dev ppp0" in lines
    assert "ip -n client route add default via 10.10.10.1" in lines
