"""Compares a live object with the desired one. Pure.

An object has drifted when a field that we apply is missing or different, or when another field manager set a field
of its content (`spec`, `data`, `type`). Server-side apply records who set what in `metadata.managedFields`, so no
list of tolerated differences is needed: a field that no manager owns is a default of the API server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sergas_operator.model.names import HASH_ANNOTATION, MANAGER

Body = Mapping[str, Any]

# `kubectl rollout restart` sets an annotation there. Removing it would restart the pods once more.
TOLERATED = ("f:spec", "f:template", "f:metadata", "f:annotations")
# Lists of metadata to which others may add items, and the key of an item.
SHARED_LISTS = {"metadata.ownerReferences": "uid"}


def differences(desired: Body, live: Body) -> tuple[str, ...]:
    """Return the paths of the fields in which `live` has drifted; empty when nothing needs writing.

    A changed hash means that a field we once applied is no longer desired. It is reported as the annotation's path
    when nothing else differs.
    """
    found = tuple(dict.fromkeys((*_differences(desired, live, ""), *foreign_fields(live))))
    hash_path = f"metadata.annotations.{HASH_ANNOTATION}"
    return tuple(path for path in found if path != hash_path) or found


def foreign_fields(live: Body) -> tuple[str, ...]:
    """Return the paths of content fields that a manager other than this operator's apply owns."""
    return tuple(path for entry in _foreign_entries(live) for path in _paths(_content(entry), ""))


def adopted(live: Body) -> list[dict[str, Any]]:
    """Return managedFields in which this operator's apply owns every content field that others own in `live`.

    An apply with these owners removes what it does not name. Status, metadata and TOLERATED keep their owners.
    """
    entries = [dict(entry) for entry in live["metadata"].get("managedFields") or ()]
    foreign = _foreign_entries(live)
    own = next((entry for entry in entries if _is_own(entry)), None)
    if own is None:
        own = {"manager": MANAGER, "operation": "Apply", "apiVersion": live["apiVersion"], "fieldsType": "FieldsV1"}
        entries.append(own)
    fields: dict[str, Any] = dict(own.get("fieldsV1") or {})
    for entry in foreign:
        fields = _merge(fields, _content(entry))
    own["fieldsV1"] = fields
    result = []
    for entry in entries:
        if not _is_own(entry):
            entry["fieldsV1"] = _remaining(entry)
            if not entry["fieldsV1"]:
                continue
        result.append(entry)
    return result


def _foreign_entries(live: Body) -> list[Mapping[str, Any]]:
    # Entries with a subresource: `status` has no content fields, `scale` sets spec.replicas.
    entries = live["metadata"].get("managedFields") or ()
    return [entry for entry in entries if not _is_own(entry) and _content(entry)]


def _is_own(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("manager") == MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource"))


def _content(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The content fields of an entry, without TOLERATED ones."""
    fields = entry.get("fieldsV1") or {}
    return _without({key: value for key, value in fields.items() if _is_content(key)}, TOLERATED)


def _remaining(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that another manager keeps: metadata, and TOLERATED ones."""
    fields = entry.get("fieldsV1") or {}
    tolerated: dict[str, Any] = fields
    for key in TOLERATED:
        tolerated = tolerated.get(key) or {}
    for key in reversed(TOLERATED):
        tolerated = {key: tolerated} if tolerated else {}
    return {key: value for key, value in fields.items() if not _is_content(key)} | tolerated


def _without(fields: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """`fields` without `path`, and without the parents of which nothing else is left."""
    key, *rest = path
    if key not in fields:
        return dict(fields)
    inner = _without(fields[key], rest) if rest else {}
    others = {name: value for name, value in fields.items() if name != key}
    return others | ({key: inner} if inner else {})


def _is_content(key: str) -> bool:
    return key not in ("f:metadata", "f:status", "f:apiVersion", "f:kind")


def _paths(fields: Mapping[str, Any], path: str) -> Iterator[str]:
    """The leaf paths of a FieldsV1 set, such as `spec.ports[{"port":9999}].targetPort`."""
    for key, value in fields.items():
        if key == ".":
            continue
        kind, _, name = key.partition(":")
        inner = f"{path}[{name}]" if kind != "f" else f"{path}.{name}" if path else name
        if value and set(value) != {"."}:
            yield from _paths(value, inner)
        else:
            yield inner


def _merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _merge(merged.get(key) or {}, value)
    return merged


def _differences(desired: Any, live: Any, path: str) -> Iterator[str]:
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for key, value in desired.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in live:
                yield from _differences(value, live[key], inner)
            else:
                yield inner
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _list_differences(desired, live, path)
    elif desired != live:
        yield path


def _list_differences(desired: list[Any], live: list[Any], path: str) -> Iterator[str]:
    if path in SHARED_LISTS:
        by_key = {item.get(SHARED_LISTS[path]): item for item in live}
        live = [by_key[item[SHARED_LISTS[path]]] for item in desired if item[SHARED_LISTS[path]] in by_key]
    if len(desired) != len(live):
        yield path
        return
    for index, (wanted, found) in enumerate(zip(desired, live, strict=True)):
        yield from _differences(wanted, found, f"{path}[{index}]")
