from __future__ import annotations

from typing import Any

from lab.spec.schema import json_schema

SCHEMA = json_schema()


def schemas(part: object) -> list[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(part, list):
        return [schema for item in part for schema in schemas(item)]
    if not isinstance(part, dict):
        return []
    return [part, *[schema for item in part.values() for schema in schemas(item)]]


def test_it_names_its_dialect() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_mapping_of_the_format_knows_all_of_its_keys() -> None:
    for schema in [SCHEMA, *SCHEMA["$defs"].values()]:
        assert schema["additionalProperties"] is False
        assert schema["properties"]


def test_every_key_is_described() -> None:
    for schema in [SCHEMA, *SCHEMA["$defs"].values()]:
        for key, field in schema["properties"].items():
            assert field.get("description"), key


def test_nothing_is_nothing() -> None:
    assert all(schema.get("type") != "null" for schema in schemas(SCHEMA))


def test_every_reference_leads_somewhere() -> None:
    names = {
        schema["$ref"].removeprefix("#/$defs/") for schema in schemas(SCHEMA) if "$ref" in schema
    }
    assert names == SCHEMA["$defs"].keys()


def test_what_is_not_yet_supported_is_struck_through() -> None:
    step = SCHEMA["$defs"]["StepDocument"]["properties"]
    assert [key for key, field in step.items() if field.get("deprecated")] == ["talk", "dhcp"]


def test_a_lone_value_stands_for_a_list_of_one() -> None:
    assert SCHEMA["$defs"]["ServeDocument"]["properties"]["tcp"]["anyOf"] == [
        {"type": "integer", "minimum": 1, "maximum": 65535},
        {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
    ]


def test_a_step_has_one_verb() -> None:
    assert {"required": ["connect"]} in SCHEMA["$defs"]["StepDocument"]["oneOf"]
