"""From a file's plain values to its models, and from pydantic's errors to mistakes in our words."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lab.spec.document_expect import ExpectDocument
from lab.spec.document_types import NO_TOPOLOGY, NOT_YET_SUPPORTED, Document, is_not_yet_supported
from lab.spec.findings import Findings, Path
from lab.spec.misfit import Misfit, did_you_mean, kind_of

D = TypeVar("D", bound=Document)

# What pydantic's types of error say was expected.
_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUND: Final = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}


def salvage(model: type[D], value: object, findings: Findings, path: Path) -> D | None:
    """Read what is left of a value without those of its parts that do not fit.

    Args:
        model: one of the file format's models.
        value: the plain value that stands at ``path``.
        findings: where it is noted what was left out; its mistakes are told already.
        path: the value's path.

    Returns:
        The model; None where nothing is left.
    """
    rest = copy.deepcopy(value)
    while True:
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            unfit = {_smallest_part(item, rest) for item in error.errors(include_url=False)}
        if () in unfit:
            return None
        removed = [_remove(rest, part) for part in unfit]
        if not any(removed):
            return None
        for part in unfit:
            findings.cut(path + part)


def _smallest_part(item: ErrorDetails, value: object) -> Path:
    """The least that can be left out to be rid of an error: a key with its value."""
    within = _path_in_file(item["loc"], value)
    if item["type"] == "missing":
        within = within[:-1]
    # Without one of its items a list would be another list.
    while within and isinstance(within[-1], int):
        within = within[:-1]
    return within


def _remove(value: Any, path: Path) -> bool:
    """Take a key out of nested mappings; False where it is out already."""
    for part in path[:-1]:
        if isinstance(value, dict) and part not in value:
            return False
        value = value[part]
    return value.pop(path[-1], value) is not value


def validate(model: type[D], value: object, findings: Findings, path: Path = ()) -> D | None:
    """Read a value as one of the file format's models.

    Args:
        model: the model.
        value: the plain value that stands at ``path``.
        findings: where all its mistakes are noted.
        path: the value's path.

    Returns:
        The model; None where the value does not fit it.
    """
    document, details = None, []
    try:
        document = model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    empty = set(_empty_values(value))
    for item in details:
        within = _path_in_file(item["loc"], value)
        if item["type"] == "extra_forbidden" or within not in empty:
            empty.discard(within)
            _note(item, within, model, findings, path)
    for within in empty:
        name = f"'{within[-1]}'" if within and isinstance(within[-1], str) else "this"
        findings.at_key(path + within, f"{name} has no value")
    return document


def _empty_values(value: object, path: Path = ()) -> Iterator[Path]:
    """The paths of all that is null; only a node may be."""
    if value is None and path[-2:-1] != ("nodes",):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empty_values(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empty_values(item, (*path, index))


def _path_in_file(loc: tuple[int | str, ...], value: object) -> Path:
    """Pydantic's location without what the file has not: forms, and the index of a lone value."""
    path: list[int | str] = []
    for number, part in enumerate(loc):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif number < len(loc) - 1 or not isinstance(value, dict):
            continue
        path.append(part)
    return tuple(path)


def _note(
    item: ErrorDetails,
    within: Path,
    model: type[Document],
    findings: Findings,
    path: Path,
) -> None:
    """Say one of pydantic's errors in our words, at its place."""
    kind, given, context = item["type"], item["input"], item.get("ctx", {})
    here = path + within
    written = findings.text(here)
    if kind == "extra_forbidden":
        findings.at_key(here, *_unknown_key(str(item["loc"][-1]), given, item["loc"], model))
    elif kind == "missing":
        findings.at(here[:-1], f"'{item['loc'][-1]}' is missing", _why(model, item["loc"]))
    elif kind == NOT_YET_SUPPORTED and "word" not in context:
        findings.at_key(here, f"'{here[-1]}' is not yet supported")
    elif kind == "too_short" and isinstance(given, list | dict) and not given:
        findings.at(here, f"'{here[-1]}' is empty")
    elif kind in ("too_short", "too_long") and isinstance(given, list | dict):
        wanted = context["min_length" if kind == "too_short" else "max_length"]
        # An item that does not fit is told already, and counted as missing.
        if (len(given) < wanted) if kind == "too_short" else (len(given) > wanted):
            findings.at(here, f"expected {wanted} of them, got {len(given)}")
    else:
        findings.at(here, *_unfit(kind, given, written, context))


def _unfit(kind: str, given: object, written: str, context: dict[str, Any]) -> tuple[str, str]:
    """Message and hint for a value that is there and does not fit."""
    got = kind_of(given, written)
    if kind == NOT_YET_SUPPORTED:
        return f"'{context['word']}' is not yet supported", ""
    if kind == "value_error" and isinstance(context.get("error"), Misfit):
        return context["error"].message, context["error"].hint
    if kind in _EXPECTED:
        hint = ""
        if kind == "string_type" and isinstance(given, bool | int | float):
            hint = f'write it in quotes: "{written}"'
        return f"expected {_EXPECTED[kind]}, got {got}", hint
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"expected {_either(known)}, got {got}", _nearest(given, known)
    if kind in _BOUND:
        key, words = _BOUND[kind]
        return f"expected {words} {context[key]}, got {got}", ""
    if kind == NO_TOPOLOGY:
        return f"expected a topology's name, FILE.py:CLASS, or nodes and links, got {got}", ""
    return f"{got} does not fit: {kind}", ""


def _unknown_key(
    key: str, given: object, loc: tuple[int | str, ...], model: type[Document]
) -> tuple[str, str]:
    owner = _model_at(model, loc[:-1])
    message = f"unknown key '{key}'"
    if ":" in key and given is None:
        return message, "is a space missing after its ':'?"
    known = _keys(owner)
    near = did_you_mean(key, known)
    if not near.startswith("did"):
        near = f"known: {', '.join(sorted(_supported_keys(owner)))}"
    if "expect" in known and not near.startswith("did") and key in _keys(ExpectDocument):
        return message, "it belongs below 'expect'"
    return message, near


def _model_at(model: type[Document], loc: tuple[int | str, ...]) -> type[Document]:
    """The model of the mapping that a location leads to."""
    for part in loc:
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                model = next(_models_in(field.rebuild_annotation()), model)
                break
    return model


def _models_in(annotation: object) -> Iterator[type[Document]]:
    if isinstance(annotation, type) and issubclass(annotation, Document):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _keys(model: type[Document]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _supported_keys(model: type[Document]) -> list[str]:
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if not is_not_yet_supported(field)
    ]


def _why(model: type[Document], loc: tuple[int | str, ...]) -> str:
    """What a missing key is for."""
    owner = _model_at(model, loc[:-1])
    for name, field in owner.model_fields.items():
        if loc[-1] == (field.alias or name):
            return (field.description or "").replace("`", "")
    return ""


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _nearest(given: object, known: list[str]) -> str:
    hint = did_you_mean(given, known) if isinstance(given, str) else ""
    return hint if hint.startswith("did") else ""
