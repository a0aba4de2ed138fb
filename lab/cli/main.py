"""The entry point of the `lab` command: all that it imports and says hangs below here."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from lab.model.errors import ExitCode


def main() -> NoReturn:
    """Run the command line that this process was started with, and exit."""
    try:
        open_standard_streams()
        from lab.cli.app import app

        app(prog_name="lab")
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.OK)


def open_standard_streams() -> None:
    """Stand in for streams that were closed before us (``>&-``), lest a file takes their number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
