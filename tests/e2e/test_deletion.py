"""Deleting a SergasMonitoring removes what it made, whether or not the operator runs; nothing ever waits for it."""

from collections.abc import Iterator

import operating
import pytest
import stacks
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import Kube, path
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.DELETION
SECONDS = 15
"""How long the children may outlive their owner."""

CHILDREN = (
    ("monitoring.coreos.com/v1", "prometheuses", "main"),
    ("monitoring.coreos.com/v1", "alertmanagers", "main"),
    ("v1", "secrets", "main-alertmanager-config"),
    ("v1", "services", "main-prometheus"),
    ("v1", "services", "main-alertmanager"),
    ("policy/v1", "poddisruptionbudgets", "main-prometheus"),
    ("policy/v1", "poddisruptionbudgets", "main-alertmanager"),
)


@pytest.fixture
def stack(suite):
    """The module's stack, ready; made again where a test has deleted it."""
    suite.kube.apply(monitoring.resource(stacks.NAME, stacks.SPECS[NAMESPACE]), namespace=NAMESPACE)
    suite.ready(NAMESPACE)
    return suite


@pytest.fixture
def operator_gone(stack, kube) -> Iterator[None]:
    """The operator scaled to zero, and back afterwards."""
    kube.patch(operating.DEPLOYMENT, {"spec": {"replicas": 0}})
    until("The end of the operator's pod", lambda: expect(not operating.pods(kube), "it still runs"), seconds=60)
    yield
    kube.patch(operating.DEPLOYMENT, {"spec": {"replicas": 1}})
    until("The operator's return", lambda: operating.ready_pod(kube), seconds=90)


def delete_and_watch(kube: Kube) -> None:
    owner = monitoring.where(NAMESPACE, stacks.NAME)
    assert "finalizers" not in kube.get(owner)["metadata"]
    assert [child for child in CHILDREN if kube.get(path(child[0], NAMESPACE, *child[1:])) is None] == []
    kube.delete(owner)
    assert kube.get(owner) is None, "the resource is still there: something holds it"

    def look() -> None:
        left = [f"{plural}/{name}" for api, plural, name in CHILDREN if kube.get(path(api, NAMESPACE, plural, name))]
        expect(not left, f"{', '.join(left)} remain")

    until("The removal of the children", look, seconds=SECONDS)


def test_deletion_removes_the_children_with_the_operator_running(stack, kube):
    delete_and_watch(kube)


@pytest.mark.usefixtures("operator_gone")
def test_deletion_removes_the_children_with_the_operator_scaled_to_zero(kube):
    delete_and_watch(kube)


def test_retained_children_outlive_their_owner_and_are_taken_over_again(stack, kube):
    stack.change(NAMESPACE, {"deletionPolicy": "Retain"})

    def released() -> None:
        owned = [
            f"{plural}/{name}"
            for api, plural, name in CHILDREN
            if kube.get(path(api, NAMESPACE, plural, name))["metadata"].get("ownerReferences")
        ]
        expect(not owned, f"{', '.join(owned)} still have an owner")

    until("The release of the children", released, seconds=30)
    pods = [pod["metadata"]["uid"] for pod in prometheus.pods(kube, NAMESPACE, stacks.NAME, "prometheus")]
    kube.delete(monitoring.where(NAMESPACE, stacks.NAME))
    kube.apply(monitoring.resource(stacks.NAME, stacks.SPECS[NAMESPACE]), namespace=NAMESPACE)
    stack.ready(NAMESPACE)

    def adopted() -> None:
        free = [
            f"{plural}/{name}"
            for api, plural, name in CHILDREN
            if not kube.get(path(api, NAMESPACE, plural, name))["metadata"].get("ownerReferences")
        ]
        expect(not free, f"{', '.join(free)} have no owner")

    until("The adoption of the children", adopted, seconds=30)
    assert [pod["metadata"]["uid"] for pod in prometheus.pods(kube, NAMESPACE, stacks.NAME, "prometheus")] == pods
