"""The JSON Schema of the scenario file, for editors that complete and check while one types."""

from __future__ import annotations

from typing import Any

from lab.spec.document import ScenarioDocument
from lab.spec.verbs import VERBS, VERBS_TO_COME


def json_schema() -> dict[str, Any]:
    """The schema of a `*.lab.yaml`, as JSON Schema 2020-12.

    Keys that are not yet supported are in it, marked as deprecated so that an editor strikes them
    through.
    """
    schema: dict[str, Any] = _simplified(ScenarioDocument.model_json_schema())
    schema["$defs"]["StepDocument"]["oneOf"] = [
        {"required": [verb]} for verb in (*VERBS, *VERBS_TO_COME)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A natlab scenario",
        **schema,
    }


def _simplified(schema: Any) -> Any:
    """Without titles, which repeat the keys, and without null: a key that is there has a value."""
    if isinstance(schema, list):
        return [_simplified(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    simple: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            simple[key] = {name: _simplified(item) for name, item in value.items()}
        elif key == "anyOf":
            forms = [_simplified(form) for form in value if form != {"type": "null"}]
            simple |= forms[0] if len(forms) == 1 else {"anyOf": forms}
        elif key == "description":
            simple[key] = value.replace("\n", " ")
        elif key == "oneOf":
            simple["anyOf"] = _simplified(value)
        elif key != "title" and not (key == "default" and value is None):
            simple[key] = _simplified(value)
    return simple
