"""The cache never goes back in time, whatever order events and answers come in."""

from __future__ import annotations

from typing import Any

from sergas_operator.cache import Cache, trimmed
from sergas_operator.compare import differences

KEY = ("Secret", "monitoring", "slack")


def body(version: int, value: str = "x") -> dict[str, Any]:
    return {
        "metadata": {"name": "slack", "namespace": "monitoring", "resourceVersion": str(version)},
        "data": {"v": value},
    }


def test_an_event_that_arrives_before_the_answer_it_overtook_is_kept() -> None:
    cache = Cache()
    cache.track(KEY)
    cache.event(KEY, body(6, "new"), keep=False)
    cache.answered(KEY, body(5, "old"), written=False)
    found = cache.get(KEY)
    assert found
    assert found["data"] == {"v": "new"}


def test_what_nobody_tracks_is_not_kept() -> None:
    cache = Cache()
    assert not cache.event(KEY, body(6), keep=False)
    assert cache.get(KEY) is None


def test_our_own_write_coming_back_is_no_news() -> None:
    cache = Cache()
    cache.answered(KEY, body(5), written=True)
    assert not cache.event(KEY, body(5), keep=True)
    assert cache.event(KEY, body(6), keep=True)


def test_a_late_deletion_does_not_remove_what_was_made_since() -> None:
    cache = Cache()
    cache.answered(KEY, body(9), written=True)
    cache.gone(KEY, 7)
    assert cache.get(KEY)
    cache.gone(KEY, 10)
    assert cache.get(KEY) is None


def test_of_managed_fields_only_the_managers_are_kept() -> None:
    fields = [{"manager": "sergas-operator", "fieldsV1": {"f:spec": {}}}, {"manager": "kubectl"}]
    found = trimmed({"metadata": {"name": "a", "managedFields": fields, "selfLink": "x"}, "spec": {}})
    assert found == {"metadata": {"name": "a", "managers": ["kubectl", "sergas-operator"]}, "spec": {}}


def test_differences_name_fields_and_ignore_what_others_added() -> None:
    desired = {"spec": {"a": 1, "b": {"c": [1, 2]}, "e": {}}}
    live = {"spec": {"a": 2, "b": {"c": [1, 2], "theirs": True}, "also": 1}, "status": {}}
    assert differences(desired, live) == ("spec.a",)


def test_lists_merged_by_key_may_hold_others_items() -> None:
    mine, theirs = {"uid": "1", "name": "a"}, {"uid": "2", "name": "b"}
    desired = {"metadata": {"ownerReferences": [mine]}}
    assert differences(desired, {"metadata": {"ownerReferences": [theirs, mine]}}) == ()
    assert differences(desired, {"metadata": {"ownerReferences": [theirs]}}) == ("metadata.ownerReferences",)


def test_a_changed_hash_alone_is_a_difference() -> None:
    name = "monitoring.sergas.com/desired-hash"
    desired, live = {"metadata": {"annotations": {name: "2"}}}, {"metadata": {"annotations": {name: "1"}}}
    assert differences(desired, live) == (f"metadata.annotations.{name}",)
    assert differences(desired | {"spec": {"a": 1}}, live | {"spec": {"a": 0}}) == ("spec.a",)
