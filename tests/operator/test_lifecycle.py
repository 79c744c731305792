"""Deletion, restarts and outages: what holds while the operator is there, and while it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import OperatorProcess
from controlplane import ControlPlane
from kube import CHILDREN, Namespace

pytestmark = pytest.mark.apiserver

GONE_SECONDS = 15.0
MAIL = {
    "name": "mail",
    "email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"},
}


def left(namespace: Namespace) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name in CHILDREN if namespace.get(kind, name)]


def test_deletion_removes_children_while_operator_runs(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    assert "finalizers" not in namespace.get("SergasMonitoring", "sergas")["metadata"]
    namespace.delete("SergasMonitoring", "sergas")
    assert namespace.get("SergasMonitoring", "sergas") is None
    namespace.wait("no child is left", lambda: not left(namespace), GONE_SECONDS)
    assert left(namespace) == []


def test_deletion_removes_children_without_operator(
    unserved: Namespace, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator()
    unserved.create()
    unserved.wait_for_children()
    operator.stop()
    unserved.delete("SergasMonitoring", "sergas")
    assert unserved.get("SergasMonitoring", "sergas") is None
    unserved.wait("no child is left", lambda: not left(unserved), GONE_SECONDS)


def test_retained_children_survive_deletion_and_are_adopted_again(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    namespace.patch({"deletionPolicy": "Retain"})

    def owned() -> list[str]:
        return [name for kind, name in CHILDREN if namespace.get(kind, name)["metadata"].get("ownerReferences")]

    namespace.wait("no child has an owner", lambda: not owned())
    uids = [namespace.get(kind, name)["metadata"]["uid"] for kind, name in CHILDREN]
    namespace.delete("SergasMonitoring", "sergas")
    namespace.create({"prometheus": {"retention": "3d"}})
    namespace.wait("3d", lambda: namespace.get("Prometheus", "sergas")["spec"]["retention"] == "3d")
    namespace.wait("every child has an owner", lambda: len(owned()) == len(CHILDREN))
    assert [namespace.get(kind, name)["metadata"]["uid"] for kind, name in CHILDREN] == uids


def test_restarted_operator_repairs_drift_and_writes_nothing_else(
    unserved: Namespace, granted: ControlPlane, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator()
    unserved.create()
    unserved.wait_for_children()
    unserved.wait_for_condition("Progressing", "RollingOut")
    operator.stop()
    unserved.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    before = granted.audit_size()
    start_operator()
    unserved.wait("30d again", lambda: unserved.get("Prometheus", "sergas")["spec"]["retention"] == "30d")
    # The first makes the operator the owner of the field again, the second applies.
    assert granted.writes(unserved.name, since=before) == [("patch", "prometheuses")] * 2


@pytest.mark.parametrize("receivers", [[], [MAIL]], ids=["without a digest", "with a digest"])
def test_resync_writes_nothing(
    unserved: Namespace,
    granted: ControlPlane,
    start_operator: Callable[..., OperatorProcess],
    receivers: list[dict[str, object]],
) -> None:
    operator = start_operator(SERGAS_RESYNC_SECONDS="2")
    unserved.create({"receivers": receivers})
    unserved.wait_for_children()
    for kind in ("Prometheus", "Alertmanager"):
        unserved.settle_as_prometheus_operator(kind)
    unserved.wait("quiet", lambda: unserved.status()["alertmanager"]["ready"] == "3/3")
    unserved.wait("quiet", lambda: unserved.status()["prometheus"]["ready"] == "2/2")
    unserved.wait_for_condition("Progressing", "Converged")
    before, passes = granted.audit_size(), _passes(operator)
    unserved.wait("a resync has passed", lambda: _passes(operator) > passes, 15)
    assert granted.writes(unserved.name, since=before) == []


def _passes(operator: OperatorProcess) -> float:
    for line in operator.get("/metrics", operator.metrics_port).splitlines():
        if line.startswith('sergas_operator_reconcile_total{result="success"}'):
            return float(line.split()[-1])
    return 0.0
