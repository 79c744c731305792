"""What the controller keeps in memory, and what triggers a reconcile."""

from __future__ import annotations

import pytest
from controlplane import ControlPlane
from kube import Namespace

from sergas_operator import metrics
from sergas_operator.controller.controller import Controller
from sergas_operator.controller.workqueue import RetryError
from sergas_operator.model import kinds

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}


def known() -> float:
    return float(metrics.MONITORINGS._value.get())


async def test_counts_monitorings_that_exist(unserved: Namespace, controller: Controller) -> None:
    body = unserved.create()
    await controller.reconcile(KEY)
    assert known() == 1
    controller.monitoring_changed(body)
    await controller.reconcile(KEY)
    assert known() == 1
    unserved.delete("SergasMonitoring", "sergas")
    await controller.reconcile(KEY)
    assert known() == 0


async def test_holds_nothing_of_deleted_monitorings(unserved: Namespace, controller: Controller) -> None:
    unserved.secret("hook", url="http://example.com/hook")
    names = [f"sergas-{number}" for number in range(20)]
    for name in names:
        controller.monitoring_changed(unserved.create({"receivers": [HOOK]}, name))
        await controller.reconcile((unserved.name, name))
        controller._pods.ask((unserved.name, name), "uid", "hash", running=True)
    assert len(controller._memories) == len(controller._pods._asked) == len(names)
    assert controller._readers[(unserved.name, "hook")] == {(unserved.name, name) for name in names}
    for name in names:
        body = unserved.get("SergasMonitoring", name)
        unserved.delete("SergasMonitoring", name)
        controller.monitoring_deleted(body)
        await controller.reconcile((unserved.name, name))
    assert controller._memories == {}
    assert controller._pods._asked == {}
    assert dict(controller._readers) == {}
    assert controller.queue._failures == {}


async def test_holds_no_reader_of_a_secret_that_is_not_referred_to_any_more(
    unserved: Namespace, controller: Controller
) -> None:
    unserved.create({"receivers": [HOOK]})
    await controller.reconcile(KEY)
    assert dict(controller._readers) == {(unserved.name, "hook"): {KEY}}
    unserved.patch({"receivers": []})
    await controller.reconcile(KEY)
    assert dict(controller._readers) == {}


async def test_own_writes_trigger_nothing(unserved: Namespace, controller: Controller) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    live = unserved.get("Prometheus", "sergas")
    controller.child_changed(kinds.PROMETHEUS, live["metadata"])
    assert KEY not in controller.queue._due
    unserved.patch_object("Prometheus", "sergas", {"spec": {"paused": True}})
    controller.child_changed(kinds.PROMETHEUS, unserved.get("Prometheus", "sergas")["metadata"])
    assert KEY in controller.queue._due


async def test_status_written_by_the_operator_triggers_nothing(unserved: Namespace, controller: Controller) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    controller.monitoring_changed(unserved.get("SergasMonitoring", "sergas"))
    assert KEY not in controller.queue._due
    unserved.patch({"prometheus": {"retention": "9d"}})
    controller.monitoring_changed(unserved.get("SergasMonitoring", "sergas"))
    assert KEY in controller.queue._due


async def test_forgets_a_failing_monitoring_that_is_deleted(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    ports = {"spec": {"ports": [{"port": 80}]}, "apiVersion": "v1", "kind": "Service"}
    unserved.request(
        "POST", f"api/v1/namespaces/{unserved.name}/services", {**ports, "metadata": {"name": "sergas-prometheus"}}
    )
    unserved.create()
    with pytest.raises(RetryError):
        await controller.reconcile(KEY)
    unserved.delete("SergasMonitoring", "sergas")
    assert await controller.reconcile(KEY) is None
    assert controller._memories == {}


async def test_reconciles_known_monitorings_when_the_lease_is_acquired_again(
    unserved: Namespace, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    controller._leases[unserved.name].held = False
    assert await controller.reconcile(KEY) is None
    controller._leases[unserved.name].held = True
    controller._acquired(unserved.name)
    assert KEY in controller.queue._due
