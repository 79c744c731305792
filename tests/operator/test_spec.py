"""The typed model and the CRD are one: the same fields, the same defaults, the same types."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest
import yaml
from controlplane import CRD

from sergas_operator.errors import SpecError
from sergas_operator.parse import fields, parse
from sergas_operator.spec import Spec, read

SCHEMA = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object", tuple: "array"}


def model(annotation: Any) -> Any:
    """The type without `| None`."""
    arguments = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    return arguments[0] if type(None) in typing.get_args(annotation) else annotation


def disagreements(kind: Any, schema: dict[str, Any], path: str) -> list[str]:
    found = (
        []
        if set(fields(kind)) == set(schema["properties"])
        else [f"{path}: {set(fields(kind)) ^ set(schema['properties'])}"]
    )
    required = {
        name
        for name, (field, _) in fields(kind).items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if required != set(schema.get("required", [])):
        found.append(f"{path}: required {required} and {schema.get('required')}")
    for name, (field, annotation) in fields(kind).items():
        found += field_disagreements(field, model(annotation), schema["properties"].get(name, {}), f"{path}.{name}")
    return found


def field_disagreements(field: Any, kind: Any, schema: dict[str, Any], path: str) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return disagreements(kind, schema, path)
    origin = typing.get_origin(kind) or kind
    found = [] if schema.get("type") == TYPES[origin] else [f"{path}: {schema.get('type')} is not {TYPES[origin]}"]
    item = typing.get_args(kind)[0] if origin is tuple else None
    if dataclasses.is_dataclass(item):
        found += disagreements(item, schema["items"], f"{path}[]")
    if field.default not in (dataclasses.MISSING, None):
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        # An empty list nobody wrote needs no default in the schema.
        if schema.get("default", [] if default == [] else None) != default:
            found.append(f"{path}: defaults {schema.get('default')!r} and {default!r}")
    return found


def test_the_model_and_the_crd_agree_in_every_field_and_default() -> None:
    assert disagreements(Spec, SCHEMA, "spec") == []


def test_everything_in_the_crd_is_bounded() -> None:
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


def test_everything_in_the_crd_is_described() -> None:
    def mute(schema: dict[str, Any], path: str) -> list[str]:
        found = [] if schema.get("description") else [path]
        for name, inner in (schema.get("properties") or {}).items():
            found += mute(inner, f"{path}.{name}")
        if (schema.get("items") or {}).get("properties"):
            found += [p for p in mute(schema["items"], f"{path}[]") if p != f"{path}[]"]
        return found

    assert mute(SCHEMA, "spec") == []


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"prometheus": {"retentoin": "1d"}},
            "spec.prometheus.retentoin: unknown field: write one of discovery, replicas, resources, "
            "retention, "
            "retentionSize, scheduling, storage",
        ),
        ({"prometheus": {"replicas": True}}, "spec.prometheus.replicas: must be of type int, not bool"),
        ({"receivers": [{}]}, "spec.receivers[0].name: is missing: write it"),
    ],
)
def test_a_spec_that_is_not_understood_names_its_field(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as error:
        parse(Spec, spec, "spec")
    assert str(error.value) == sentence


def test_an_empty_spec_reads_as_the_defaults() -> None:
    found = read({"metadata": {"name": "sergas", "namespace": "monitoring", "uid": "1", "generation": 3}, "spec": {}})
    assert (found.name, found.generation, found.spec) == ("sergas", 3, Spec())
