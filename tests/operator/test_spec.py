"""The typed model and the CRD agree: the same fields, the same defaults, the same types."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest
import yaml
from controlplane import CRD

from sergas_operator.errors import SpecError
from sergas_operator.model.decode import decode
from sergas_operator.model.spec import Spec, read

SCHEMA = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object", tuple: "array"}


def without_none(annotation: Any) -> Any:
    """The type without `| None`."""
    arguments = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    return arguments[0] if type(None) in typing.get_args(annotation) else annotation


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def disagreements(kind: Any, schema: dict[str, Any], path: str) -> list[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    different = set(fields) ^ set(schema["properties"])
    found = [f"{path}: {different}"] if different else []
    required = {name for name, field in fields.items() if field.required}
    if required != set(schema.get("required", [])):
        found.append(f"{path}: required {required} and {schema.get('required')}")
    for name, field in fields.items():
        found += field_disagreements(field, schema["properties"].get(name, {}), f"{path}.{name}")
    return found


def field_disagreements(field: Any, schema: dict[str, Any], path: str) -> list[str]:
    kind = without_none(field.type)
    if is_model(kind):
        return disagreements(kind, schema, path)
    origin = typing.get_origin(kind) or kind
    found = [] if schema.get("type") == TYPES[origin] else [f"{path}: {schema.get('type')} is not {TYPES[origin]}"]
    item = typing.get_args(kind)[0] if origin is tuple else None
    if is_model(item):
        found += disagreements(item, schema["items"], f"{path}[]")
    if field.default not in (msgspec.NODEFAULT, None):
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        # An empty list that is not written needs no default in the schema.
        if schema.get("default", [] if default == [] else None) != default:
            found.append(f"{path}: defaults {schema.get('default')!r} and {default!r}")
    return found


def test_model_and_crd_have_same_fields_and_defaults() -> None:
    assert disagreements(Spec, SCHEMA, "spec") == []


def test_crd_limits_every_string_list_and_map() -> None:
    def unbounded(schema: dict[str, Any], path: str) -> list[str]:
        limits = {"string": {"maxLength", "enum", "format"}, "array": {"maxItems"}}
        wanted = limits.get(schema.get("type", ""))
        found = [path] if wanted and not wanted & set(schema) else []
        if isinstance(schema.get("additionalProperties"), dict) and "maxProperties" not in schema:
            found.append(path)
        for name, inner in (schema.get("properties") or {}).items():
            found += unbounded(inner, f"{path}.{name}")
        if "items" in schema:
            found += unbounded(schema["items"], f"{path}[]")
        return found

    assert unbounded(SCHEMA, "spec") == []


def test_crd_describes_every_field() -> None:
    def undescribed(schema: dict[str, Any], path: str) -> list[str]:
        found = [] if schema.get("description") else [path]
        for name, inner in (schema.get("properties") or {}).items():
            found += undescribed(inner, f"{path}.{name}")
        if (schema.get("items") or {}).get("properties"):
            found += [p for p in undescribed(schema["items"], f"{path}[]") if p != f"{path}[]"]
        return found

    assert undescribed(SCHEMA, "spec") == []


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"prometheus": {"retentoin": "1d"}},
            "spec.prometheus.retentoin: unknown field: write one of discovery, externalURL, replicas, resources, "
            "retention, "
            "retentionSize, scheduling, storage",
        ),
        ({"prometheus": {"replicas": True}}, "spec.prometheus.replicas: must be of type int, not bool"),
        ({"receivers": [{}]}, "spec.receivers[0].name: is missing: write it"),
    ],
)
def test_error_names_field_that_is_not_understood(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as error:
        decode(Spec, spec, "spec")
    assert str(error.value) == sentence


def test_reads_empty_spec_as_defaults() -> None:
    found = read({"metadata": {"name": "sergas", "namespace": "monitoring", "uid": "1", "generation": 3}, "spec": {}})
    assert (found.name, found.generation, found.spec) == ("sergas", 3, Spec())
