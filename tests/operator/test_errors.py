"""Whatever stops a reconcile is in the status with its reason, and is retried until it works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import granted_objects
from controlplane import ControlPlane
from kube import CHILDREN, Namespace

from sergas_operator.controller import reconcile as reconciles
from sergas_operator.controller.controller import Controller
from sergas_operator.controller.workqueue import RetryError
from sergas_operator.desired import registry
from sergas_operator.errors import ApiError

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
SECRET = "t0ken"


def assert_reports(namespace: Namespace, reason: str, message: str) -> None:
    body = namespace.get("SergasMonitoring", "sergas")
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"]
    for kind in ("Ready", "Progressing"):
        condition = namespace.condition(kind)
        assert (condition["status"], condition["reason"]) == ("False", reason)
        assert condition["message"] == message


@pytest.mark.usefixtures("permissive_crd")
def test_reports_spec_of_another_version_and_recovers(namespace: Namespace) -> None:
    namespace.create({"futureField": 1})
    namespace.wait_for_condition("Ready", "SpecNotUnderstood")
    message = namespace.condition("Ready")["message"]
    assert message.startswith("spec.futureField: unknown field: write one of alertmanager, deletionPolicy, ")
    assert_reports(namespace, "SpecNotUnderstood", message)
    namespace.patch({"futureField": None})
    namespace.wait_for_children()
    namespace.wait("it is not reported any more", lambda: namespace.condition("Ready")["reason"] != "SpecNotUnderstood")


@pytest.mark.usefixtures("permissive_crd")
def test_reports_spec_that_became_unknown_and_leaves_children(namespace: Namespace) -> None:
    namespace.create({"prometheus": {"retention": "9d"}})
    namespace.wait_for_children()
    namespace.patch({"futureField": 1, "prometheus": {"retention": "8d"}})
    namespace.wait_for_condition("Ready", "SpecNotUnderstood")
    namespace.wait_for_status()
    assert namespace.get("Prometheus", "sergas")["spec"]["retention"] == "9d"


@pytest.fixture
def restricted(granted: ControlPlane, unserved: Namespace) -> Iterator[Any]:
    """Takes rights from the operator's Role; they are given back after the test."""
    path, document = granted_objects(unserved.name)[1]

    def without(resource: str, verb: str) -> None:
        rules = [
            rule | {"verbs": [known for known in rule["verbs"] if known != verb or rule["resources"] != [resource]]}
            for rule in registry.rules()
        ]
        granted.apply(path, json.dumps(document | {"rules": rules}))

    yield without
    granted.apply(path, json.dumps(document))


async def reconcile_until(controller: Controller, namespace: Namespace, reason: str) -> None:
    """Reconcile until Ready has this reason: a changed Role counts after some milliseconds."""
    for _ in range(200):
        try:
            await controller.reconcile(KEY)
        except RetryError:
            if namespace.condition("Ready").get("reason") == reason:
                return
        for kind, name in CHILDREN:
            if namespace.get(kind, name):
                namespace.delete(kind, name)
    raise AssertionError(f"Ready never was {reason}: {namespace.status()}")


async def test_reports_forbidden_write_and_writes_the_other_children(
    unserved: Namespace, controller: Controller, restricted: Any
) -> None:
    restricted("services", "patch")
    unserved.create()
    await reconcile_until(controller, unserved, "ApiServerRefused")
    message = unserved.condition("Ready")["message"]
    assert message.startswith("apply Service unserved/sergas-")
    assert 'User "sergas-operator" cannot patch resource "services"' in message
    assert_reports(unserved, "ApiServerRefused", message)
    with pytest.raises(RetryError):
        await controller.reconcile(KEY)
    missing = [kind for kind, name in CHILDREN if not unserved.get(kind, name)]
    assert set(missing) == {"Service"}


async def test_reports_forbidden_read(unserved: Namespace, controller: Controller, restricted: Any) -> None:
    restricted("poddisruptionbudgets", "get")
    unserved.create()
    await reconcile_until(controller, unserved, "ApiServerRefused")
    message = unserved.condition("Ready")["message"]
    assert message.startswith("get PodDisruptionBudget unserved/sergas-")
    assert_reports(unserved, "ApiServerRefused", message)


@pytest.mark.parametrize(
    "step", ["read_state", "read", "resolve", "render", "desired", "status"], ids=lambda name: f"in {name}"
)
async def test_reports_unexpected_error_without_its_text_and_recovers(
    unserved: Namespace, controller: Controller, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    unserved.create()

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(SECRET)

    with monkeypatch.context() as patched:
        patched.setattr(reconciles, step, broken)
        with pytest.raises(RetryError):
            await controller.reconcile(KEY)
    assert_reports(
        unserved,
        "InternalError",
        "the reconcile failed with ZeroDivisionError: see the operator's log and report it as a bug",
    )
    assert SECRET not in str(unserved.list("Event")) + str(unserved.get("SergasMonitoring", "sergas"))
    await controller.reconcile(KEY)
    assert unserved.condition("Ready")["reason"] == "WaitingForPrometheusOperator"
    assert all(unserved.get(kind, name) for kind, name in CHILDREN)


async def test_keeps_the_rest_of_the_status_after_a_failure(
    unserved: Namespace, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    before = unserved.status()
    unserved.patch({"prometheus": {"retention": "9d"}})

    async def broken(*_: Any, **__: Any) -> Any:
        raise ApiError(500, "list PersistentVolumeClaim in unserved", "etcd is slow")

    with monkeypatch.context() as patched:
        patched.setattr(reconciles, "read_state", broken)
        with pytest.raises(RetryError):
            await controller.reconcile(KEY)
    assert_reports(unserved, "ApiServerRefused", "list PersistentVolumeClaim in unserved: etcd is slow")
    after = unserved.status()
    assert {name: after[name] for name in ("prometheus", "config", "receivers")} == {
        name: before[name] for name in ("prometheus", "config", "receivers")
    }


async def test_event_that_cannot_be_posted_fails_nothing(
    unserved: Namespace, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any) -> None:
        raise ApiError(403, "create Event unserved/sergas.1", "forbidden")

    monkeypatch.setattr(controller._cluster, "post_event", refused)
    unserved.create()
    await controller.reconcile(KEY)
    assert all(unserved.get(kind, name) for kind, name in CHILDREN)


async def test_reports_every_time_what_one_failure_after_another_says(
    unserved: Namespace, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    unserved.create()
    for number in (1, 2):

        def broken(*_: Any, number: int = number, **__: Any) -> Any:
            raise ApiError(500, f"attempt {number}", "failed")

        with monkeypatch.context() as patched:
            patched.setattr(reconciles, "desired", broken)
            with pytest.raises(RetryError):
                await controller.reconcile(KEY)
        assert unserved.condition("Ready")["message"] == f"attempt {number}: failed"
