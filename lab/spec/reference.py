"""The reference of the scenario file, written from its models: a table for every mapping.

``python -m lab.spec.reference FILE`` brings the tables of a Markdown file up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from lab.spec.schema import json_schema

BEGIN: Final = (
    "<!-- The tables below are generated from the models: python -m lab.spec.reference -->"
)
END: Final = "<!-- End of the generated tables. -->"

# The mappings in the order in which a reader meets them, with the place where each stands.
_PLACES: Final = {
    "ScenarioDocument": "The file",
    "ArticleDocument": "`article`",
    "MatrixDocument": "`matrix`",
    "TopologyDocument": "`topology`, written out",
    "NodeDocument": "A node",
    "LinkDocument": "A link",
    "StepDocument": "A step",
    "ServeDocument": "`serve`",
    "ConnectDocument": "`connect`",
    "PingDocument": "`ping`",
    "RestoreDocument": "`restore`",
    "WaitDocument": "`wait`, with `background`",
    "WhenDocument": "`when`",
    "ExpectDocument": "`expect`",
    "CheckDocument": "`check`",
    "ServerDocument": "`server`",
    "ClientDocument": "`client`",
    "ConntrackDocument": "`conntrack`",
    "PacketDocument": "A packet",
    "RulesDocument": "`rules`",
    "TextDocument": "`stdout`, below `expect`",
    "StdoutDocument": "`stdout`, below `check`",
    "LineDocument": "A line of `routes`, `neighbours` or `sockets`",
}
_WORDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}


def tables() -> str:
    """The reference in Markdown: for each mapping its keys, what they hold and what they mean."""
    schema = json_schema()
    models = {"ScenarioDocument": schema, **schema["$defs"]}
    unplaced = models.keys() - _PLACES.keys()
    if unplaced:
        raise KeyError(f"no place in the reference: {', '.join(sorted(unplaced))}")
    return "\n".join(_table(place, models[name]) for name, place in _PLACES.items())


def with_tables(text: str) -> str:
    """A Markdown text with the tables between its two marks brought up to date."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the text has no place for the tables")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def _table(place: str, model: dict[str, Any]) -> str:
    description = model.get("description", "")
    lines = [f"### {place}", "", description, "", "| key | value | meaning |", "|---|---|---|"]
    for key, field in model["properties"].items():
        if field.get("deprecated"):
            lines.append(f"| `{key}` | | Not yet supported. |")
            continue
        required = "**Required.** " if key in model.get("required", ()) else ""
        default = _default(field.get("default"))
        meaning = f"{required}{field.get('description', '')}{default}".replace("|", r"\|")
        lines.append(f"| `{key}` | {_words(field)} | {meaning} |")
    return "\n".join([*lines, ""])


def _default(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return f" Default: `{str(value).lower()}`."
        case float():
            return f" Default: `{value:g}`."
    return f" Default: `{value}`."


def _words(field: dict[str, Any]) -> str:
    """What a key holds, in words."""
    match field:
        case {"x-words": words}:
            return str(words)
        case {"$ref": reference}:
            return f"[mapping](#{_anchor(_PLACES[reference.rsplit('/', 1)[-1]])})"
        case {"anyOf": forms}:
            return _or(list(dict.fromkeys(_words(form) for form in forms)))
        case {"enum": words}:
            return _or([f"`{word}`" for word in words])
        case {"const": word}:
            return f"`{word}`"
        case {"type": "array", "items": items}:
            return f"list of {_plural(items)}"
        case {"type": "object", "additionalProperties": {} as values}:
            return f"mapping of names to {_plural(values)}"
        case {"type": [*kinds]}:
            return _or([_WORDS[kind] for kind in kinds])
    return _WORDS[field["type"]]


def _plural(items: dict[str, Any]) -> str:
    return _words(items).replace("[mapping]", "[mappings]").replace("number", "numbers")


def _or(words: list[str]) -> str:
    return " or ".join(word for word in (", ".join(words[:-1]), words[-1]) if word)


def _anchor(heading: str) -> str:
    """The name that GitHub gives to a heading."""
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in " -_")
    return kept.replace(" ", "-")


def main() -> None:
    """Bring the file that the command line names up to date."""
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text()))


if __name__ == "__main__":
    main()
