"""Turns a JSON object into the frozen dataclasses of spec.py, strictly: an unknown or mistyped field is an
error.

A dataclass field `storage_class_name` reads the JSON field `storageClassName`; `field(metadata={"json":
...})` names another.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from sergas_operator.errors import SpecError

T = TypeVar("T")


def parse(kind: type[T], document: Mapping[str, Any], path: str) -> T:
    """A `kind` made of `document`.

    Args:
        kind: a dataclass whose fields are str, int, bool, dict[str, Any], dataclasses, tuples of those, or
            any of them `| None`.
        document: the JSON object.
        path: where the object stands, for messages, such as `spec`.

    Raises:
        SpecError: a field is unknown, missing or of another type.
    """
    model: Any = kind
    known = fields(model)
    unknown = sorted(set(document) - set(known))
    if unknown:
        raise SpecError(f"{path}.{unknown[0]}", f"unknown field: write one of {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for name, (field, annotation) in known.items():
        if name in document:
            values[field.name] = _value(annotation, document[name], f"{path}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SpecError(f"{path}.{name}", "is missing: write it")
    return kind(**values)


@functools.cache
def fields(kind: Any) -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    """The JSON field names of a dataclass, each with its dataclass field and type."""
    annotations = typing.get_type_hints(kind)
    return {
        field.metadata.get("json", _camel(field.name)): (field, annotations[field.name])
        for field in dataclasses.fields(kind)
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _value(annotation: Any, value: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType:
        (annotation,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _value(annotation, value, path)
    if origin is tuple:
        return tuple(_value(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(_typed(list, value, path)))
    if dataclasses.is_dataclass(annotation):
        return parse(typing.cast("type[Any]", annotation), _typed(dict, value, path), path)
    return _typed(origin or annotation, value, path)


def _typed(kind: type[Any], value: Any, path: str) -> Any:
    # bool is a subclass of int, and `replicas: true` must not pass for 1.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SpecError(path, f"must be of type {kind.__name__}, not {type(value).__name__}")
    return value
