"""Whether a live object already is what is wanted, and in which fields it is not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sergas_operator.names import HASH_ANNOTATION


def differences(desired: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the fields in which `live` is not what `desired` says; empty when nothing needs writing.

    Fields `desired` does not name are others' business, with one exception: a changed hash tells that a
    field we once set is no longer wanted, and is reported as the annotation when nothing else differs.
    """
    found = tuple(_differences(desired, live, ""))
    hash_path = f"metadata.annotations.{HASH_ANNOTATION}"
    return tuple(path for path in found if path != hash_path) or found


# Lists the API server merges by a key: what others add to them stays, and is none of our business.
KEYED = {"metadata.ownerReferences": "uid", "spec.ports": "port"}


def _differences(desired: Any, live: Any, path: str) -> Iterator[str]:
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for key, value in desired.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in live:
                yield from _differences(value, live[key], inner)
            # The API server drops empty maps and lists it has no use for.
            elif value not in ({}, []):
                yield inner
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _list_differences(desired, live, path)
    elif desired != live:
        yield path


def _list_differences(desired: list[Any], live: list[Any], path: str) -> Iterator[str]:
    if path in KEYED:
        by_key = {item.get(KEYED[path]): item for item in live}
        live = [by_key[item[KEYED[path]]] for item in desired if item[KEYED[path]] in by_key]
    if len(desired) != len(live):
        yield path
        return
    for index, (wanted, found) in enumerate(zip(desired, live, strict=True)):
        yield from _differences(wanted, found, f"{path}[{index}]")
