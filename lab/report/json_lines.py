"""Events as JSON lines, each written the moment it comes, and their JSON Schema."""

from __future__ import annotations

import re
from typing import Any, TextIO, get_args

from lab.model.events import Event, to_json


class JsonLines:
    r"""Writes each event as one line of JSON to a text stream.

    The stream's error handler should be ``backslashreplace``: a byte of a command's output that
    is no UTF-8 is a lone surrogate in Python, and ``\udc80`` is how JSON writes one.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def event(self, event: Event) -> None:
        """Write an event; OSError where the stream refuses."""
        self._stream.write(to_json(event) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def event_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one line, made from the events' own types."""
    from pydantic import TypeAdapter

    kinds = get_args(Event)
    _, shared = TypeAdapter.json_schemas(
        [(kind, "serialization", TypeAdapter(kind)) for kind in kinds]
    )
    definitions: dict[str, Any] = shared["$defs"]
    for kind in kinds:
        definition = definitions[kind.__name__]
        definition["properties"] = {"event": {"const": event_name(kind)}} | definition["properties"]
        definition["required"].insert(0, "event")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "natlab event",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": definitions,
    }


def event_name(kind: type[Any]) -> str:
    """The name of an event's type in JSON: ``StepFinished`` is ``step-finished``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()
