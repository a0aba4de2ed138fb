"""Many labs side by side: started as there is room, their events merged into one stream."""

from __future__ import annotations

import json
import os
import selectors
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from lab.model.events import Event, ScenarioFinished, ScenarioSkipped, from_json
from lab.run.runner import Variant
from lab.sandbox.launch import Launched

_CHUNK = 1 << 16


class RunnerFault(Exception):
    """A fault of our own inside a sandbox; its note is the traceback from there."""

    def __init__(self, traceback: str) -> None:
        super().__init__(traceback.strip().splitlines()[-1])
        self.add_note(traceback)


@dataclass(slots=True)
class _Running:
    """A lab that runs, and the part of an event line that has come so far."""

    variant: Variant
    launched: Launched
    unread: bytes = b""
    finished: bool = False


def run_labs(
    variants: Iterable[Variant], jobs: int, launch: Callable[[Variant], Launched]
) -> Generator[Event, None, None]:
    """Run every variant, at most ``jobs`` at a time, and yield their events as they come.

    Closing the iterator, or whatever else breaks out of it, ends all labs that still run.
    """
    waiting = iter(variants)
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                while len(running) < jobs and (variant := next(waiting, None)) is not None:
                    launched = launch(variant)
                    running[launched.events] = _Running(variant, launched)
                    selector.register(launched.events, selectors.EVENT_READ)
                if not running:
                    return
                for key, _ in selector.select():
                    chunk = os.read(key.fd, _CHUNK)
                    if chunk:
                        yield from _take(running[key.fd], chunk)
                        continue
                    selector.unregister(key.fd)
                    yield from _reap(running.pop(key.fd))
        finally:
            for lab in running.values():
                _kill(lab.launched)


def _take(lab: _Running, chunk: bytes) -> Iterator[Event]:
    *lines, lab.unread = (lab.unread + chunk).split(b"\n")
    for line in lines:
        if line.startswith(b'{"event": "broken"'):
            raise RunnerFault(json.loads(line)["traceback"])
        event = from_json(line.decode())
        lab.finished |= isinstance(event, ScenarioFinished | ScenarioSkipped)
        yield event


def _reap(lab: _Running) -> Iterator[Event]:
    """Collect a lab whose pipe has ended; if it did not finish, say what ended it."""
    os.close(lab.launched.events)
    _, status = os.waitpid(lab.launched.pid, 0)
    if lab.finished:
        return
    yield ScenarioFinished(
        lab=lab.variant.number,
        scenario=lab.variant.scenario.name,
        iptables=lab.variant.backend,
        passed=0,
        failed=0,
        skipped=0,
        seconds=0.0,
        broken=_how_it_died(os.waitstatus_to_exitcode(status)),
    )


def _how_it_died(code: int) -> str:
    """Say what the middle process's end tells; PID 1 passes a signal on as its low byte."""
    number = -code if code < 0 else 256 - code
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"a process of the lab ended with exit code {code}"
    return f"a process of the lab was ended by {name}"


def _kill(launched: Launched) -> None:
    """End a lab: everything in it hangs on its middle process."""
    with suppress(ProcessLookupError):
        os.kill(launched.pid, signal.SIGKILL)
    os.waitpid(launched.pid, 0)
    os.close(launched.events)
