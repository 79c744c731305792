"""Comparison of a live object with the desired one, and ownership of its fields."""

from __future__ import annotations

from typing import Any

import pytest

from sergas_operator.cluster.fields import adopted, differences, foreign_fields

HASH = "monitoring.sergas.com/desired-hash"
OWN = {"manager": "sergas-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:retention": {}}}}


def owned_by(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "metadata": {"managedFields": [OWN, *entries]}, "spec": {}}


def entry(fields: dict[str, Any], operation: str = "Update", **more: str) -> dict[str, Any]:
    return {"manager": "kubectl", "operation": operation, "fieldsV1": fields, **more}


def test_names_fields_that_differ_and_ignores_defaults() -> None:
    desired = {"spec": {"a": 1, "b": {"c": [1, 2]}}}
    live = {"metadata": {}, "spec": {"a": 2, "b": {"c": [1, 2], "defaulted": True}, "also": 1}, "status": {}}
    assert differences(desired, live) == ("spec.a",)


@pytest.mark.parametrize("value", [{}, [], "", 0, False])
def test_reports_missing_field_even_when_it_is_empty(value: Any) -> None:
    assert differences({"spec": {"selector": value}}, {"metadata": {}, "spec": {}}) == ("spec.selector",)


@pytest.mark.parametrize("live", [[1], [1, 2, 3], [2, 1], []], ids=["shorter", "longer", "in another order", "empty"])
def test_compares_lists_whole(live: list[int]) -> None:
    found = differences({"spec": {"items": [1, 2]}}, {"metadata": {}, "spec": {"items": live}})
    assert found
    assert all(path.startswith("spec.items") for path in found)


def test_allows_further_owners() -> None:
    mine, theirs = {"uid": "1", "name": "a"}, {"uid": "2", "name": "b"}
    desired = {"metadata": {"ownerReferences": [mine]}}
    assert differences(desired, {"metadata": {"ownerReferences": [theirs, mine]}}) == ()
    assert differences(desired, {"metadata": {"ownerReferences": [theirs]}}) == ("metadata.ownerReferences",)
    changed = mine | {"name": "other"}
    assert differences(desired, {"metadata": {"ownerReferences": [changed]}}) == ("metadata.ownerReferences[0].name",)


def test_reports_changed_hash_only_when_nothing_else_differs() -> None:
    desired, live = {"metadata": {"annotations": {HASH: "2"}}}, {"metadata": {"annotations": {HASH: "1"}}}
    assert differences(desired, live) == (f"metadata.annotations.{HASH}",)
    assert differences(desired | {"spec": {"a": 1}}, live | {"spec": {"a": 0}}) == ("spec.a",)


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"f:spec": {"f:paused": {}}}, ("spec.paused",)),
        ({"f:spec": {"f:selector": {".": {}, "f:canary": {}}}}, ("spec.selector.canary",)),
        ({"f:spec": {"f:ports": {'k:{"port":1}': {".": {}, "f:name": {}}}}}, ('spec.ports[{"port":1}].name',)),
        ({"f:spec": {"f:args": {'v:"--debug"': {}}}}, ('spec.args["--debug"]',)),
        ({"f:data": {"f:planted": {}}}, ("data.planted",)),
        ({"f:metadata": {"f:labels": {"f:a": {}}}, "f:status": {"f:ready": {}}}, ()),
        ({"f:spec": {"f:template": {"f:metadata": {"f:annotations": {".": {}, "f:restarted": {}}}}}}, ()),
        (
            {"f:spec": {"f:template": {"f:metadata": {"f:annotations": {"f:a": {}}, "f:labels": {"f:b": {}}}}}},
            ("spec.template.metadata.labels.b",),
        ),
    ],
    ids=["scalar", "map key", "keyed item", "set item", "data", "metadata and status", "restart", "label of pods"],
)
@pytest.mark.parametrize("operation", ["Update", "Apply"])
def test_names_content_fields_of_other_managers(operation: str, fields: dict[str, Any], paths: tuple[str, ...]) -> None:
    assert foreign_fields(owned_by(entry(fields, operation))) == paths


def test_own_update_is_another_manager() -> None:
    """Fields that this operator's earlier versions wrote by another operation would not be removed by an apply."""
    updated = entry({"f:spec": {"f:paused": {}}}) | {"manager": "sergas-operator"}
    assert foreign_fields(owned_by(updated)) == ("spec.paused",)


def test_adopts_content_and_leaves_the_rest() -> None:
    annotations = {"f:annotations": {"f:restarted": {}}}
    theirs = entry(
        {
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {"f:paused": {}, "f:template": {"f:metadata": annotations, "f:spec": {"f:hostNetwork": {}}}},
        }
    )
    status = entry({"f:status": {"f:ready": {}}}, subresource="status")
    scale = entry({"f:spec": {"f:replicas": {}}}, subresource="scale")
    assert adopted(owned_by(theirs, status, scale)) == [
        OWN
        | {
            "fieldsV1": {
                "f:spec": {
                    "f:retention": {},
                    "f:paused": {},
                    "f:template": {"f:spec": {"f:hostNetwork": {}}},
                    "f:replicas": {},
                }
            }
        },
        theirs
        | {
            "fieldsV1": {
                "f:metadata": {"f:labels": {"f:a": {}}},
                "f:spec": {"f:template": {"f:metadata": annotations}},
            }
        },
        status,
    ]


def test_adopts_fields_of_an_object_that_was_never_applied() -> None:
    live = {"apiVersion": "v1", "metadata": {"managedFields": [entry({"f:spec": {"f:paused": {}}})]}, "spec": {}}
    own = {"manager": "sergas-operator", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    assert adopted(live) == [own | {"fieldsV1": {"f:spec": {"f:paused": {}}}}]
