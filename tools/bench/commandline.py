"""What both benchmarks' command lines share: numbers in, a Markdown table or JSON out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

STDOUT = "-"


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add --markdown and --json; each takes a file, or writes to stdout without one."""
    for name, what in (("--markdown", "a Markdown table"), ("--json", "every measurement")):
        parser.add_argument(
            name,
            nargs="?",
            const=STDOUT,
            metavar="FILE",
            help=f"write {what} to FILE, or to stdout without one (--markdown is the default)",
        )


def positive(text: str) -> int:
    """Read a whole number from 1 on, as argparse wants its types."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def write_output(options: argparse.Namespace, markdown: str, json_text: str) -> None:
    """Write what add_output_options asked for; the table to stdout if it asked for nothing."""
    if options.markdown is None and options.json is None:
        options.markdown = STDOUT
    for target, text in ((options.markdown, markdown), (options.json, json_text)):
        if target == STDOUT:
            sys.stdout.write(text)
        elif target is not None:
            Path(target).write_text(text)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table, the first column to the left and all others, numbers, to the right."""
    rule = [":---", *["---:"] * (len(header) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rule, *rows))
