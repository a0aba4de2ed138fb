"""Small scenarios, read from text."""

from __future__ import annotations

from pathlib import Path

from lab.model.scenario import Scenario
from lab.run.remembered import load

PAIR = """\
name: pair
topology:
  nodes:
    client: {}
    server: {}
  links:
    - endpoints: ["client:eth0", "server:eth0"]
      ipv4: {client: 10.0.0.1/24, server: 10.0.0.2/24}
matrix: {iptables: nft}
steps:
"""


def write(folder: Path, text: str) -> Path:
    """Put a scenario into a file of its own."""
    path = folder / "pair.lab.yaml"
    path.write_text(text)
    return path


def read(folder: Path, text: str) -> Scenario:
    """Read a scenario from a text."""
    return load(write(folder, text))
