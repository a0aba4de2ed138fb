"""How a command ends: what went wrong in our own words, and the exit code that says so."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from lab.model.errors import Broken, ExitCode, LabError
from lab.report.lines import Line
from lab.report.printers import PlainPrinter
from lab.report.readable import message, printable


def end(command: Callable[[], ExitCode]) -> NoReturn:
    """Run a command to its end and leave with its exit code, never with a traceback."""
    try:
        end_on_signals()
        code = command()
    except LabError as error:
        complain(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, BrokenPipeError):
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001
        complain(internal_error(error))
        code = ExitCode.BROKEN
    leave_closed_output()
    sys.exit(code)


def complain(text: str) -> None:
    """Write a message to standard error."""
    with suppress(OSError):
        print(message(text), file=sys.stderr, flush=True)


def put(text: str) -> None:
    """Write text to standard output; Broken where that fails but for a reader that has gone."""
    printer = PlainPrinter(sys.stdout)
    lines = (printable(line, unicode=printer.page.unicode) for line in text.split("\n"))
    try:
        printer.show(map(Line.of, lines))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Broken(f"cannot write to standard output: {error.strerror}") from error


def internal_error(error: Exception) -> str:
    """Write the traceback of our own fault to a log file, and say in one line where that is."""
    from lab.cli.crash_log import write_crash_log

    what = " ".join(f"{type(error).__name__}: {error}".split())
    try:
        log = f"the log is {write_crash_log(error)}"
    except OSError as refusal:
        log = f"no log could be written: {refusal}"
    return f"internal error, a fault of natlab's own ({what}); {log}"


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, where they would have killed us.

    What nohup or a shell made this process ignore stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def end_undisturbed() -> None:
    """Ignore further signals: from here on it takes milliseconds, and then we are gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def leave_closed_output() -> None:
    """Keep the interpreter from complaining, as it exits, of a pipe that lost its reader."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
