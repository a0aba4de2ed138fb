"""The building blocks of the file format's models: one or many, shorthands, durations, counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError

from lab.model.address import Count
from lab.spec.misfit import Misfit, kind_of
from lab.spec.quantities import parse_count, parse_duration, parse_exit

T = TypeVar("T")

# Types of error that pydantic hands back as they are.
NOT_YET_SUPPORTED: Final = "not-yet-supported"
NO_TOPOLOGY: Final = "no-topology"

_SYSCTL_KEY: Final = re.compile(r"net(\.[A-Za-z0-9_/-]+){2,}")


class Document(BaseModel):
    """A mapping of the file format: every key is known, and no value is bent into another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class _SchemaOfOneOrMany:
    """Lets an editor accept the lone value as well as the list of them."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(core_schema)
        return {"anyOf": [many["items"], many]}


def _as_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _refuse(value: object) -> object:
    raise PydanticCustomError(NOT_YET_SUPPORTED, "not yet supported")


def is_not_yet_supported(field: FieldInfo) -> bool:
    """Whether a key of a model has the type NotYet."""
    return any(isinstance(item, PlainValidator) and item.func is _refuse for item in field.metadata)


def refuse_words(*words: str) -> BeforeValidator:
    """Tell that these values belong to the format but are not yet supported."""

    def refuse(value: object) -> object:
        if isinstance(value, str) and value in words:
            raise PydanticCustomError(NOT_YET_SUPPORTED, "not yet supported", {"word": value})
        return value

    return BeforeValidator(refuse)


def shorthand(key: str) -> BeforeValidator:
    """Read a lone text as the mapping that has it under ``key``."""

    def expand(value: object) -> object:
        if isinstance(value, str):
            return {key: value}
        if isinstance(value, dict):
            return value
        raise Misfit(f"expected text or a mapping, got {kind_of(value)}")

    return BeforeValidator(expand)


class SchemaOfShorthand:
    """Lets an editor accept the lone text as well as the mapping."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}


def _sysctl(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise Misfit(f"expected a number or text, got {kind_of(value)}")


def check_sysctl_key(key: str) -> None:
    """Refuse what is no kernel setting of a network namespace (sysctl(8))."""
    if not _SYSCTL_KEY.fullmatch(key):
        raise Misfit(
            f"'{key}' is no setting of a node",
            "a node has the settings below net, such as net.ipv4.ip_forward",
        )


def _text_or_mapping(accepts: Callable[[object], bool], wanted: str) -> PlainValidator:
    def check(value: object) -> object:
        if not accepts(value):
            raise Misfit(f"expected {wanted}, got {kind_of(value)}")
        return value

    return PlainValidator(check)


Many = Annotated[tuple[T, ...], Strict(False)]
OneOrMany = Annotated[tuple[T, ...], Strict(False), BeforeValidator(_as_many), _SchemaOfOneOrMany()]

Duration = Annotated[
    float,
    PlainValidator(parse_duration),
    WithJsonSchema(
        {
            "x-words": "duration",
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)? *(ms|s|m|h)$"},
            ],
        }
    ),
]
CountField = Annotated[
    Count,
    PlainValidator(parse_count),
    WithJsonSchema(
        {
            "x-words": "count",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^((>=|<=|>|<|=)? *\d+|\d+ *\.\. *\d+)$"},
            ],
        }
    ),
]
# None is any code but 0.
ExitCode = Annotated[
    int | None,
    PlainValidator(parse_exit),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 255}, {"const": "nonzero"}]}
    ),
]
SysctlValue = Annotated[
    str, PlainValidator(_sysctl), WithJsonSchema({"type": ["integer", "string"]})
]
NotYet = Annotated[
    object,
    PlainValidator(_refuse),
    WithJsonSchema({"description": "Not yet supported.", "deprecated": True}),
]
# One address, the addresses of both ends, or a mapping from ends to addresses; the link knows.
PerEnd = Annotated[
    object,
    _text_or_mapping(
        lambda value: isinstance(value, str | list | dict), "text, a list or a mapping"
    ),
    WithJsonSchema(
        {
            "x-words": "text, list or mapping",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": ["string", "array"]}},
                {"type": "object", "additionalProperties": {"type": ["string", "array"]}},
            ],
        }
    ),
]
