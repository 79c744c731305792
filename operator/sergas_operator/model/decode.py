"""Decodes a JSON object strictly into a msgspec Struct, with errors that name the field of the resource."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sergas_operator.errors import SpecError

T = TypeVar("T")

# The three messages of msgspec.ValidationError that a JSON object can cause, with the path at the end.
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<found>[^`]*)`")
_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")


def decode(model: type[T], document: Mapping[str, Any], path: str) -> T:
    """Return `document` as a `model`.

    Args:
        model: a msgspec Struct that forbids unknown fields.
        document: the JSON object.
        path: the path of the object in the resource, for messages, such as `spec`.

    Raises:
        SpecError: a field is unknown, missing or of another type.
    """
    try:
        return msgspec.convert(document, model)
    except msgspec.ValidationError as error:
        raise _spec_error(model, str(error), path) from None


def _spec_error(model: Any, message: str, root: str) -> SpecError:
    at = _PATH.search(message)
    path = at["path"] if at else ""
    if unknown := _UNKNOWN.search(message):
        known = ", ".join(sorted(_fields_at(model, path)))
        return SpecError(f"{root}{path}.{unknown['field']}", f"unknown field: write one of {known}")
    if missing := _MISSING.search(message):
        return SpecError(f"{root}{path}.{missing['field']}", "is missing: write it")
    wrong = _TYPE.search(message)
    advice = f"must be of type {wrong['wanted']}, not {wrong['found']}" if wrong else message
    return SpecError(f"{root}{path}", advice)


def _fields_at(model: Any, path: str) -> list[str]:
    """JSON names of the fields of the object at `path`, such as `.receivers[0].slack`, below `model`."""
    for name in re.findall(r"\.([^.\[]+)", path):
        field = next(field for field in msgspec.structs.fields(model) if field.encode_name == name)
        model = _struct(field.type)
    return [field.encode_name for field in msgspec.structs.fields(model)]


def _struct(annotation: Any) -> Any:
    """The Struct in `X`, `X | None` or `tuple[X, ...]`."""
    while not isinstance(annotation, msgspec.StructMeta):
        annotation = next(argument for argument in typing.get_args(annotation) if argument is not type(None))
    return annotation
