"""Say what is wrong with a JSON document, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

JSONObject = Mapping[str, Any]


def wrong_types(document: JSONObject, path: str, **fields: type) -> Iterator[str]:
    """Yield a sentence for each named field that is present, not null, and of another type."""
    names = {str: "a string", list: "a list", dict: "an object", int: "a number", bool: "true or false"}
    for name, kind in fields.items():
        value = document.get(name)
        if value is not None and not isinstance(value, kind):
            yield f"{path}{name} must be {names[kind]}"


def missing(document: JSONObject, path: str, *fields: str) -> Iterator[str]:
    """Yield a sentence for each named field that is absent or empty."""
    for name in fields:
        if not document.get(name):
            yield f"{path}{name} is missing or empty"


def objects(document: JSONObject, path: str, name: str) -> Iterator[tuple[str, JSONObject | None]]:
    """Yield each item of a list with its path; None for one that is not an object, nothing when it is no list."""
    items = document.get(name)
    for index, item in enumerate(items if isinstance(items, list) else []):
        yield f"{path}{name}[{index}]", item if isinstance(item, dict) else None
