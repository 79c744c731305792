"""Storage: what counts is the capacity of the volumes that exist, and a running StatefulSet keeps its template."""

from __future__ import annotations

from typing import Any

import pytest
from controlplane import ControlPlane
from kube import PATHS, Namespace

from sergas_operator.controller.controller import Controller

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
INSTANCE, PART_OF = "app.kubernetes.io/instance", "app.kubernetes.io/part-of"
MAIL = {
    "name": "mail",
    "email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"},
}


def claim_name(part: str, ordinal: int) -> str:
    return f"{part}-sergas-db-{part}-sergas-{ordinal}"


def add_claim(
    namespace: Namespace, ordinal: int, capacity: str, part: str = "prometheus", labels: dict[str, str] | None = None
) -> None:
    """Create a claim as the StatefulSet controller would, and bind it to a volume of this capacity."""
    labels = {INSTANCE: "sergas", PART_OF: "sergas-monitoring"} if labels is None else labels
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim_name(part, ordinal), "labels": labels},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    namespace.request("POST", PATHS["PersistentVolumeClaim"].format(namespace.name), body)
    resize(namespace, ordinal, capacity, part)


def resize(namespace: Namespace, ordinal: int, capacity: str, part: str = "prometheus") -> None:
    bound = {"status": {"phase": "Bound", "capacity": {"storage": capacity}}}
    namespace.patch_object("PersistentVolumeClaim", claim_name(part, ordinal), bound, "/status")


def template_size(namespace: Namespace, kind: str = "Prometheus") -> str:
    spec = namespace.get(kind, "sergas")["spec"]["storage"]["volumeClaimTemplate"]["spec"]
    return str(spec["resources"]["requests"]["storage"])


def retention_size(namespace: Namespace) -> str:
    return str(namespace.get("Prometheus", "sergas")["spec"]["retentionSize"])


async def test_growth_uses_the_smallest_actual_capacity_and_keeps_the_template(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    unserved.create({"prometheus": {"storage": {"size": "50Gi"}}, "alertmanager": {"storage": {"size": "2Gi"}}})
    await controller.reconcile(KEY)
    for kind in ("Prometheus", "Alertmanager"):
        unserved.settle_as_prometheus_operator(kind)
    for ordinal in range(2):
        add_claim(unserved, ordinal, "50Gi")
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "40GiB"
    since = granted.audit_size()
    unserved.patch({"prometheus": {"storage": {"size": "500Gi"}}, "alertmanager": {"storage": {"size": "20Gi"}}})
    await controller.reconcile(KEY)
    # A changed template makes prometheus-operator delete the StatefulSet with both pods.
    assert (template_size(unserved), template_size(unserved, "Alertmanager")) == ("50Gi", "2Gi")
    assert retention_size(unserved) == "40GiB"
    assert granted.writes(unserved.name, since=since) == [("patch", "sergasmonitorings/status")]
    assert unserved.condition("StorageReady")["reason"] == "VolumesTooSmall"
    resize(unserved, 0, "500Gi")
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "40GiB"
    resize(unserved, 1, "500Gi")
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "400GiB"
    assert template_size(unserved) == "50Gi"
    # A StatefulSet that does not exist gets the size of the spec.
    unserved.delete("StatefulSet", "prometheus-sergas")
    await controller.reconcile(KEY)
    assert template_size(unserved) == "500Gi"


async def test_retention_size_of_the_spec_waits_for_the_volume(unserved: Namespace, controller: Controller) -> None:
    unserved.create({"prometheus": {"storage": {"size": "50Gi"}, "replicas": 1}})
    await controller.reconcile(KEY)
    unserved.settle_as_prometheus_operator("Prometheus")
    add_claim(unserved, 0, "50Gi")
    unserved.patch({"prometheus": {"storage": {"size": "500Gi"}, "retentionSize": "300GB"}})
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "40GiB"
    resize(unserved, 0, "500Gi")
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "300GB"


async def test_ignores_the_volume_of_a_replica_that_is_gone(unserved: Namespace, controller: Controller) -> None:
    unserved.create({"prometheus": {"storage": {"size": "50Gi"}, "replicas": 1}})
    add_claim(unserved, 0, "50Gi")
    add_claim(unserved, 1, "1Gi")
    await controller.reconcile(KEY)
    assert retention_size(unserved) == "40GiB"


@pytest.mark.parametrize("capacity", ["1288490188800m", "1288490189", "1.2Gi", "1e9"])
async def test_reports_capacity_in_any_notation(unserved: Namespace, controller: Controller, capacity: str) -> None:
    unserved.create({"prometheus": {"storage": {"size": "1Gi"}, "replicas": 1}})
    add_claim(unserved, 0, capacity)
    await controller.reconcile(KEY)
    body = unserved.get("SergasMonitoring", "sergas")
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"]
    stored = unserved.get("PersistentVolumeClaim", claim_name("prometheus", 0))["status"]["capacity"]["storage"]
    assert body["status"]["storage"] == [{"pvc": claim_name("prometheus", 0), "requested": "1Gi", "actual": stored}]
    small = capacity == "1e9"
    assert unserved.condition("StorageReady")["reason"] == ("VolumesTooSmall" if small else "VolumesReady")


def test_finds_claims_without_our_labels(namespace: Namespace) -> None:
    """Claims of an earlier installation have only the label that their StatefulSet selects by."""
    namespace.create({"prometheus": {"replicas": 1}})
    namespace.wait_for_children()
    assert namespace.condition("StorageReady")["reason"] == "NoVolumes"
    add_claim(namespace, 0, "50Gi", labels={INSTANCE: "sergas"})
    namespace.wait_for_condition("StorageReady", "VolumesReady")


async def test_does_not_count_the_claims_of_another_monitoring(unserved: Namespace, controller: Controller) -> None:
    unserved.create({"prometheus": {"replicas": 1}})
    add_claim(unserved, 0, "1Gi", labels={INSTANCE: "other"})
    await controller.reconcile(KEY)
    assert unserved.status()["storage"] == []


def ordered_digest(namespace: Namespace) -> Any:
    """Replace the digest by one as earlier versions made it, with a pod and a claim, and return it."""
    body = namespace.get("StatefulSet", "sergas-digest")
    orphan = {"propagationPolicy": "Orphan"}
    namespace.request("DELETE", f"{PATHS['StatefulSet'].format(namespace.name)}/sergas-digest", orphan)
    namespace.wait("it is gone", lambda: not namespace.get("StatefulSet", "sergas-digest"))
    metadata = {name: body["metadata"][name] for name in ("name", "labels", "annotations", "ownerReferences")}
    old = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata,
        "spec": body["spec"] | {"podManagementPolicy": "OrderedReady"},
    }
    made = namespace.request("POST", PATHS["StatefulSet"].format(namespace.name), old)
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "sergas-digest", "uid": made["metadata"]["uid"]}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sergas-digest-0", "ownerReferences": [owner | {"controller": True}]},
        "spec": {"containers": [{"name": "digest", "image": "example.com/digest"}]},
    }
    namespace.request("POST", f"api/v1/namespaces/{namespace.name}/pods", pod)
    return made


def test_recreates_ordered_digest_and_keeps_its_pod(namespace: Namespace, granted: ControlPlane) -> None:
    namespace.create({"receivers": [MAIL], "paused": False})
    namespace.wait_for_children()
    namespace.wait("the digest exists", lambda: namespace.get("StatefulSet", "sergas-digest"))
    namespace.patch({"paused": True})
    namespace.wait_for_condition("Progressing", "Paused")
    since = granted.audit_size()
    old = ordered_digest(namespace)
    pods = f"api/v1/namespaces/{namespace.name}/pods"
    try:
        namespace.patch({"paused": False})

        def recreated() -> Any:
            found = namespace.get("StatefulSet", "sergas-digest")
            return found and found["metadata"]["uid"] != old["metadata"]["uid"] and found

        found = namespace.wait("the digest is recreated", recreated)
        assert found["spec"]["podManagementPolicy"] == "Parallel"
        # The garbage collector has removed the reference to the old one, so the new one can adopt the pod.
        pod = namespace.request("GET", f"{pods}/sergas-digest-0")
        assert "ownerReferences" not in pod["metadata"]
        assert "deletionTimestamp" not in pod["metadata"]
        deletions = [
            event["requestObject"]["propagationPolicy"]
            for event in granted.audit(since)
            if event["verb"] == "delete" and event["user"]["username"] == "sergas-operator"
        ]
        assert deletions == ["Orphan"]
        namespace.wait_for_condition("DigestAvailable", "DigestNotReady")
        assert [event for event in namespace.list("Event") if event["type"] == "Warning"] == []
    finally:
        namespace.request("DELETE", f"{pods}/sergas-digest-0?gracePeriodSeconds=0")


def test_digest_is_created_deleted_and_created_again(namespace: Namespace) -> None:
    namespace.create({"receivers": [MAIL]})
    namespace.wait("the digest exists", lambda: namespace.get("StatefulSet", "sergas-digest"))
    namespace.patch({"routing": {"info": {"receivers": []}}})
    for kind in ("StatefulSet", "Service"):
        namespace.wait(f"the {kind} is deleted", lambda kind=kind: not namespace.get(kind, "sergas-digest"))
    namespace.wait_for_condition("DigestAvailable", "NotNeeded")
    assert "_digest.json" not in namespace.secret_data("sergas-alertmanager-config")
    namespace.patch({"routing": {"info": {"receivers": ["mail"]}}})
    for kind in ("StatefulSet", "Service"):
        namespace.wait(f"the {kind} exists again", lambda kind=kind: namespace.get(kind, "sergas-digest"))
    assert "_digest.json" in namespace.secret_data("sergas-alertmanager-config")
