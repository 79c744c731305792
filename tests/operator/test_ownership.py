"""Ownership is decided by the owner's uid, or by the operator's own annotation: never by a label or a name."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
from conftest import OperatorProcess
from controlplane import ControlPlane
from kube import CHILDREN, PATHS, Namespace

from sergas_operator.controller.controller import Controller
from sergas_operator.controller.workqueue import RetryError
from sergas_operator.model import kinds

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
CONFIG = "sergas-alertmanager-config"
HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}
OURS = {
    "app.kubernetes.io/managed-by": "sergas-operator",
    "app.kubernetes.io/part-of": "sergas-monitoring",
    "app.kubernetes.io/instance": "sergas",
}


def plant(namespace: Namespace, kind: str, name: str, metadata: dict[str, Any], content: dict[str, Any]) -> Any:
    """Create an object as the operator's field manager would, by server-side apply."""
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": OURS, **metadata}, **content}
    path = f"{PATHS[kind].format(namespace.name)}/{name}?fieldManager=sergas-operator&force=true"
    return namespace.request("PATCH", path, body, "application/apply-patch+yaml")


def plant_config(namespace: Namespace, **metadata: Any) -> Any:
    data = {"hook.url": base64.b64encode(b"http://attacker.example.com").decode()}
    return plant(namespace, "Secret", CONFIG, metadata, {"data": data})


async def refused(controller: Controller) -> None:
    with pytest.raises(RetryError):
        await controller.reconcile(KEY)


async def test_leaves_object_with_planted_labels_and_manager(unserved: Namespace, controller: Controller) -> None:
    ports = {"spec": {"ports": [{"port": 80}]}}
    planted = plant(unserved, "Service", "sergas-prometheus", {}, ports)
    unserved.create()
    await refused(controller)
    assert unserved.condition("Ready")["reason"] == "NameTaken"
    assert unserved.condition("Ready")["message"] == (
        "Service unserved/sergas-prometheus exists and does not belong to this SergasMonitoring: delete it, or give "
        "the SergasMonitoring another name"
    )
    assert unserved.get("Service", "sergas-prometheus") == planted
    # Once it is gone, the SergasMonitoring recovers.
    unserved.delete("Service", "sergas-prometheus")
    await controller.reconcile(KEY)
    assert all(unserved.get(kind, name) for kind, name in CHILDREN)


async def test_leaves_planted_digest_that_is_not_wanted(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    planted = plant(unserved, "Service", "sergas-digest", {}, {"spec": {"ports": [{"port": 80}]}})
    unserved.create()
    await controller.reconcile(KEY)
    assert unserved.get("Service", "sergas-digest") == planted


async def test_never_uses_values_of_planted_config_secret(unserved: Namespace, controller: Controller) -> None:
    planted = plant_config(unserved)
    unserved.create({"receivers": [HOOK]})
    await refused(controller)
    assert unserved.condition("Ready")["reason"] == "NameTaken"
    assert unserved.get("Secret", CONFIG) == planted
    message = unserved.status()["receivers"][0]["message"]
    assert message.endswith("until then no alert reaches hook.")


@pytest.mark.parametrize("uid", ["another-uid", ""])
async def test_never_uses_values_that_another_monitoring_retained(
    unserved: Namespace, controller: Controller, uid: str
) -> None:
    plant_config(unserved, annotations={"monitoring.sergas.com/retained-by": f"unserved/sergas/{uid}"})
    unserved.create({"receivers": [HOOK]})
    await controller.reconcile(KEY)
    # It is taken over, for it was retained by a SergasMonitoring of this name. Its values are not.
    data = unserved.secret_data(CONFIG)
    assert "hook.url" not in data
    assert "attacker" not in str(data)


async def test_leaves_object_that_another_monitoring_retained(unserved: Namespace, controller: Controller) -> None:
    plant_config(unserved, annotations={"monitoring.sergas.com/retained-by": "unserved/sergas-2/uid"})
    unserved.create()
    await refused(controller)
    assert unserved.condition("Ready")["reason"] == "NameTaken"


async def test_leaves_retained_object_that_has_another_owner(unserved: Namespace, controller: Controller) -> None:
    other = unserved.secret("other", key="value")
    owner = {"apiVersion": "v1", "kind": "Secret", "name": "other", "uid": other["metadata"]["uid"]}
    annotations = {"monitoring.sergas.com/retained-by": "unserved/sergas/uid"}
    ports = {"spec": {"ports": [{"port": 80}]}}
    planted = plant(
        unserved, "Service", "sergas-prometheus", {"annotations": annotations, "ownerReferences": [owner]}, ports
    )
    unserved.create()
    await refused(controller)
    assert unserved.condition("Ready")["reason"] == "NameTaken"
    assert unserved.get("Service", "sergas-prometheus") == planted


async def test_keeps_child_whose_labels_were_removed(unserved: Namespace, controller: Controller) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    before = unserved.get("Service", "sergas-prometheus")
    unserved.patch_object("Service", "sergas-prometheus", {"metadata": {"labels": None}})
    await controller.reconcile(KEY)
    after = unserved.get("Service", "sergas-prometheus")["metadata"]
    assert (after["uid"], after["labels"]) == (before["metadata"]["uid"], before["metadata"]["labels"])


@pytest.mark.parametrize("frozen", [{"paused": True}, {"mode": "Plan"}], ids=["paused", "Plan"])
async def test_status_says_whether_retain_is_in_effect(
    unserved: Namespace, controller: Controller, frozen: dict[str, Any]
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    assert unserved.status()["deletionPolicy"] == "Delete"
    unserved.patch({"deletionPolicy": "Retain", **frozen})
    await controller.reconcile(KEY)
    assert unserved.status()["deletionPolicy"] == "Delete"
    assert unserved.condition("Progressing")["message"].endswith(
        "deletionPolicy Retain is not in effect yet: deleting the SergasMonitoring now would delete the children."
    )
    unserved.patch({"paused": False, "mode": "Apply"})
    await controller.reconcile(KEY)
    assert unserved.status()["deletionPolicy"] == "Retain"
    assert "not in effect" not in unserved.condition("Progressing")["message"]
    assert not any(unserved.get(kind, name)["metadata"].get("ownerReferences") for kind, name in CHILDREN)


async def test_deleted_monitoring_is_forgotten_and_its_retained_children_stay_as_edited(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    unserved.create({"deletionPolicy": "Retain"})
    await controller.reconcile(KEY)
    unserved.delete("SergasMonitoring", "sergas")
    # The watch was interrupted: no event about the deletion arrives. An edit of a child triggers a reconcile.
    since = granted.audit_size()
    unserved.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    edited = unserved.get("Prometheus", "sergas")
    controller.child_changed(kinds.PROMETHEUS, edited["metadata"])
    assert KEY in controller.queue._due
    # The audit log has this operator's writes.
    assert ("patch", "prometheuses") in granted.writes(unserved.name)
    assert await controller.reconcile(KEY) is None
    assert unserved.get("Prometheus", "sergas") == edited
    assert granted.writes(unserved.name, since=since, events=True) == []
    assert KEY not in controller._memories
    # Nothing triggers another reconcile.
    controller.queue.forget(KEY)
    controller.child_changed(kinds.PROMETHEUS, edited["metadata"])
    assert KEY not in controller.queue._due


def test_deletion_while_the_operator_is_down_is_noticed(
    unserved: Namespace, granted: ControlPlane, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator()
    unserved.create({"deletionPolicy": "Retain"})
    unserved.wait_for_children()
    unserved.create({}, "marker")
    operator.stop()
    unserved.delete("SergasMonitoring", "sergas")
    start_operator(SERGAS_RESYNC_SECONDS="1")
    since = granted.audit_size()
    unserved.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    # The same edit of a child that still has its SergasMonitoring is reverted: the operator works.
    for _ in range(3):
        unserved.patch_object("Prometheus", "marker", {"spec": {"retention": "1d"}})
        unserved.wait(
            "the other is reverted", lambda: unserved.get("Prometheus", "marker")["spec"]["retention"] == "30d"
        )
    assert unserved.get("Prometheus", "sergas")["spec"]["retention"] == "1d"
    assert ("patch", "prometheuses") in granted.writes(unserved.name, since=since, name="marker")
    assert granted.writes(unserved.name, since=since, name="sergas") == []


async def test_late_deletion_event_does_not_keep_the_new_monitoring_from_its_reconcile(
    unserved: Namespace, controller: Controller
) -> None:
    old = unserved.create()
    await controller.reconcile(KEY)
    unserved.delete("SergasMonitoring", "sergas")
    new = unserved.create({"prometheus": {"retention": "9d"}})
    controller.monitoring_changed(new)
    controller.monitoring_deleted(old)
    assert KEY in controller.queue._due
    async with asyncio.timeout(20):
        while True:
            try:
                await controller.reconcile(KEY)
            except RetryError:
                assert unserved.condition("Ready")["reason"] == "WaitingForGarbageCollection"
            else:
                break
    owners = {
        owner["uid"] for kind, name in CHILDREN for owner in unserved.get(kind, name)["metadata"]["ownerReferences"]
    }
    assert owners == {new["metadata"]["uid"]}
    assert unserved.get("Prometheus", "sergas")["spec"]["retention"] == "9d"
    # Even later, it only triggers a reconcile, which finds the new one.
    controller.queue.forget(KEY)
    controller.monitoring_deleted(old)
    assert KEY in controller.queue._due
    await controller.reconcile(KEY)
    assert controller._memories[KEY].uid == new["metadata"]["uid"]
    assert all(unserved.get(kind, name) for kind, name in CHILDREN)
