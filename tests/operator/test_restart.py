"""A restarted operator reads each resource once and reports nothing new while nothing changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import OperatorProcess
from controlplane import ControlPlane
from kube import Namespace

pytestmark = pytest.mark.apiserver

NAMES = [f"resource-{number}" for number in range(6)]


def reconciles(operator: OperatorProcess) -> float:
    for line in operator.get("/metrics", operator.metrics_port).splitlines():
        if line.startswith('sergas_operator_reconcile_total{result="success"}'):
            return float(line.split()[-1])
    return 0.0


def test_restart_reconciles_each_resource_once(
    unserved: Namespace, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator()
    for name in NAMES:
        unserved.create({}, name)
    unserved.wait("every status is written", lambda: all(unserved.status(name) for name in NAMES))
    operator.stop()
    restarted = start_operator()
    unserved.wait("each has been reconciled", lambda: reconciles(restarted) >= len(NAMES))
    unserved.create({}, "marker")
    unserved.wait("a later resource has been reconciled", lambda: unserved.status("marker"))
    # An event about one of the marker's new children may arrive before the answer to the write that caused it.
    assert reconciles(restarted) <= len(NAMES) + 3


def test_restart_keeps_the_status_of_running_replicas(
    unserved: Namespace, granted: ControlPlane, start_operator: Callable[..., OperatorProcess]
) -> None:
    operator = start_operator()
    unserved.create()
    unserved.wait_for_children()
    for kind in ("Prometheus", "Alertmanager"):
        unserved.settle_as_prometheus_operator(kind)
    unserved.wait("Alertmanager runs", lambda: unserved.status()["alertmanager"]["ready"] == "3/3")
    unserved.wait("Prometheus runs", lambda: unserved.status()["prometheus"]["ready"] == "2/2")
    # The last of these changes may still wait for its reconcile: a restart would then write the status that results.
    unserved.wait("the rollout is over", lambda: unserved.condition("Progressing")["reason"] == "Converged")
    operator.stop()
    before = granted.audit_size()
    restarted = start_operator()
    unserved.wait("it has been reconciled after the pods were asked", lambda: reconciles(restarted) >= 2)
    assert granted.writes(unserved.name, since=before, events=True) == []
