"""Events as JSON lines."""

from __future__ import annotations

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from hypothesis import given

from lab.model.events import Event, from_json, to_json
from lab.report.json_lines import JsonLines, event_name, event_schema
from tests.report.runs import ANY_EVENT, whole_run

VALIDATOR = jsonschema.Draft202012Validator(event_schema())


def written(events: list[Event]) -> bytes:
    buffer = BytesIO()
    lines = JsonLines(TextIOWrapper(buffer, "utf-8", errors="backslashreplace", newline=""))
    for event in events:
        lines.event(event)
    return buffer.getvalue()


def test_each_event_is_a_line_that_reads_back_as_the_event() -> None:
    lines = written(whole_run()).decode().splitlines()
    assert [from_json(line) for line in lines] == whole_run()


def test_each_line_fits_the_schema() -> None:
    for line in written(whole_run()).decode().splitlines():
        VALIDATOR.validate(json.loads(line))


def test_the_schema_itself_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())


def test_the_schema_refuses_another_event() -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"event": "lab-up", "lab": 1})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(json.loads(to_json(whole_run()[0])) | {"event": "lab-up"})


def test_every_type_has_the_name_that_the_schema_gives_it() -> None:
    for event in whole_run():
        assert json.loads(to_json(event))["event"] == event_name(type(event))
    assert {type(event) for event in whole_run()} == set(get_args(Event))


@given(event=ANY_EVENT)
def test_any_text_survives_the_way_through_a_file(event: Event) -> None:
    (line,) = written([event]).decode("utf-8").split("\n")[:-1]
    assert from_json(line) == event
    VALIDATOR.validate(json.loads(line))


def test_a_line_is_there_as_soon_as_its_event(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with file.open("w", encoding="utf-8") as stream:
        lines = JsonLines(stream)
        lines.event(whole_run()[0])
        assert file.read_text("utf-8").endswith("}\n")
