"""Drift: whatever others change in a child, the operator repairs it, and it repairs nothing twice."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from controlplane import ControlPlane
from kube import CHILDREN, PATHS, Namespace

from sergas_operator.controller.controller import Controller
from sergas_operator.desired import digest

pytestmark = pytest.mark.apiserver

KEY = ("unserved", "sergas")
CONFIG = "sergas-alertmanager-config"
SELECTORS = ("serviceMonitorSelector", "serviceMonitorNamespaceSelector", "ruleSelector", "ruleNamespaceSelector")
MAIL = {
    "name": "mail",
    "email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"},
}


def json_patch(namespace: Namespace, kind: str, name: str, *operations: dict[str, Any]) -> None:
    path = f"{PATHS[kind].format(namespace.name)}/{name}"
    namespace.request("PATCH", path, list(operations), "application/json-patch+json")


def apply(namespace: Namespace, kind: str, name: str, manager: str, content: dict[str, Any]) -> None:
    """Server-side apply as another field manager."""
    live = namespace.get(kind, name)
    document = {"apiVersion": live["apiVersion"], "kind": kind, "metadata": {"name": name}, **content}
    path = f"{PATHS[kind].format(namespace.name)}/{name}?fieldManager={manager}&force=true"
    namespace.request("PATCH", path, document, "application/apply-patch+yaml")


def content(body: Any) -> dict[str, Any]:
    """What a child consists of, without metadata and status."""
    return {key: value for key, value in body.items() if key not in {"metadata", "status"}}


def owners_of_content(body: Any) -> set[tuple[str, str]]:
    """The field managers that own a field of spec, data or type, with their operations."""
    return {
        (entry["manager"], entry["operation"])
        for entry in body["metadata"]["managedFields"]
        if entry.get("subresource") != "status" and set(entry["fieldsV1"]) - {"f:metadata", "f:status"}
    }


@pytest.fixture
def settled(namespace: Namespace) -> Namespace:
    """A namespace whose SergasMonitoring has been reconciled."""
    namespace.create()
    namespace.wait_for_children()
    return namespace


def test_restores_removed_selector(settled: Namespace) -> None:
    for selector in SELECTORS:
        json_patch(settled, "Prometheus", "sergas", {"op": "remove", "path": f"/spec/{selector}"})
        settled.wait(
            f"{selector} is restored", lambda name=selector: settled.get("Prometheus", "sergas")["spec"].get(name) == {}
        )


def test_removes_paused_and_reports_changed_retention_only_when_it_runs(settled: Namespace) -> None:
    for kind in ("Prometheus", "Alertmanager"):
        settled.settle_as_prometheus_operator(kind)
    settled.wait_for_condition("Progressing", "Converged")
    settled.patch_object("Prometheus", "sergas", {"spec": {"paused": True}})
    settled.wait("paused is removed", lambda: "paused" not in settled.get("Prometheus", "sergas")["spec"])
    # prometheus-operator reports success for a paused Prometheus and leaves its StatefulSet as it is.
    settled.patch({"prometheus": {"retention": "7d"}})
    settled.wait("7d", lambda: settled.get("Prometheus", "sergas")["spec"]["retention"] == "7d")
    generation = settled.get("Prometheus", "sergas")["metadata"]["generation"]
    reconciled = {"type": "Reconciled", "status": "True", "observedGeneration": generation}
    stamped = [reconciled | {"lastTransitionTime": "2026-01-01T00:00:00Z"}]
    settled.patch_object("Prometheus", "sergas", {"status": {"conditions": stamped}}, "/status")
    settled.wait_for_status()
    settled.wait_for_condition("Progressing", "RollingOut")
    # No pod can be asked here, so Ready is Unknown; it must not be True.
    assert settled.condition("Ready")["status"] != "True"
    settled.settle_as_prometheus_operator("Prometheus")
    settled.wait_for_condition("Progressing", "Converged")


def test_removes_extra_key_of_service_selector(settled: Namespace) -> None:
    wanted = settled.get("Service", "sergas-alertmanager")["spec"]["selector"]
    settled.patch_object("Service", "sergas-alertmanager", {"spec": {"selector": {"canary": "yes"}}})
    settled.wait(
        "the extra key is removed", lambda: settled.get("Service", "sergas-alertmanager")["spec"]["selector"] == wanted
    )


FOREIGN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "item of a list merged by key": (
        "Service",
        "sergas-prometheus",
        {"spec": {"ports": [{"name": "debug", "port": 9999, "protocol": "TCP"}]}},
    ),
    "map key": ("Service", "sergas-prometheus", {"spec": {"selector": {"canary": "yes"}}}),
    "scalar without a default": ("Prometheus", "sergas", {"spec": {"paused": True}}),
    "field of a new object": ("Prometheus", "sergas", {"spec": {"query": {"timeout": "1m"}}}),
    "item of a new list": ("Prometheus", "sergas", {"spec": {"externalLabels": {"team": "web"}}}),
    "additional containers": (
        "Alertmanager",
        "sergas",
        {"spec": {"containers": [{"name": "spy", "image": "example.com/spy"}]}},
    ),
    "data key of a Secret": ("Secret", CONFIG, {"data": {"planted": base64.b64encode(b"x").decode()}}),
    "budget": ("PodDisruptionBudget", "sergas-prometheus", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
}


@pytest.mark.parametrize("how", ["apply", "update"])
@pytest.mark.parametrize(("kind", "name", "change"), FOREIGN.values(), ids=FOREIGN)
def test_removes_field_of_another_manager(
    settled: Namespace, how: str, kind: str, name: str, change: dict[str, Any]
) -> None:
    before = settled.get(kind, name)
    if how == "apply":
        apply(settled, kind, name, "intruder", change)
    elif "ports" in change.get("spec", {}):
        json_patch(settled, kind, name, {"op": "add", "path": "/spec/ports/-", "value": change["spec"]["ports"][0]})
    else:
        settled.patch_object(kind, name, change)
    assert settled.get(kind, name)["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    settled.wait("the field is removed", lambda: content(settled.get(kind, name)) == content(before))
    settled.wait(
        "only the operator owns content",
        lambda: owners_of_content(settled.get(kind, name)) == {("sergas-operator", "Apply")},
    )
    assert settled.get(kind, name)["metadata"]["ownerReferences"] == before["metadata"]["ownerReferences"]


ATOMIC: dict[str, tuple[str, str, str, Any]] = {
    "atomic list": ("Prometheus", "sergas", "/spec/alerting/alertmanagers", []),
    "atomic list with another item": ("Prometheus", "sergas", "/spec/alerting/alertmanagers/0/name", "other"),
    "empty map": ("Prometheus", "sergas", "/spec/ruleSelector/matchLabels", {"team": "web"}),
    "integer": ("PodDisruptionBudget", "sergas-alertmanager", "/spec/maxUnavailable", 2),
    "boolean": ("Prometheus", "sergas", "/spec/arbitraryFSAccessThroughSMs/deny", False),
    "value of a Secret": ("Secret", CONFIG, "/data/alertmanager.yaml", base64.b64encode(b"route: {}").decode()),
}


@pytest.mark.parametrize(("kind", "name", "path", "value"), ATOMIC.values(), ids=ATOMIC)
def test_restores_changed_field(settled: Namespace, kind: str, name: str, path: str, value: Any) -> None:
    before = settled.get(kind, name)
    json_patch(settled, kind, name, {"op": "add", "path": path, "value": value})
    assert settled.get(kind, name)["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    settled.wait("the field is restored", lambda: content(settled.get(kind, name)) == content(before))
    settled.wait(
        "only the operator owns content",
        lambda: owners_of_content(settled.get(kind, name)) == {("sergas-operator", "Apply")},
    )


def test_restores_renumbered_port_and_keeps_owner(settled: Namespace) -> None:
    before = settled.get("Service", "sergas-alertmanager")
    uid, owners = before["metadata"]["uid"], before["metadata"]["ownerReferences"]
    ports = [port | {"port": port["port"] + 100} for port in before["spec"]["ports"]]
    settled.patch_object("Service", "sergas-alertmanager", {"spec": {"ports": ports}})

    def restored() -> bool:
        found = settled.get("Service", "sergas-alertmanager")
        return bool(found["spec"]["ports"] == before["spec"]["ports"])

    settled.wait("the ports are restored", restored)
    after = settled.get("Service", "sergas-alertmanager")["metadata"]
    assert (after["uid"], after["ownerReferences"]) == (uid, owners)
    assert owners_of_content({"metadata": after}) == {("sergas-operator", "Apply")}


def test_keeps_owner_and_annotation_that_others_added(settled: Namespace, granted: ControlPlane) -> None:
    added = {"metadata": {"annotations": {"example.com/note": "kept"}, "labels": {"example.com/team": "web"}}}
    settled.patch_object("Service", "sergas-prometheus", added)
    since = granted.audit_size()
    settled.patch_object("Service", "sergas-prometheus", {"spec": {"selector": {"canary": "yes"}}})
    settled.wait(
        "the drift is repaired",
        lambda: "canary" not in settled.get("Service", "sergas-prometheus")["spec"]["selector"],
    )
    metadata = settled.get("Service", "sergas-prometheus")["metadata"]
    assert metadata["annotations"]["example.com/note"] == "kept"
    assert metadata["labels"]["example.com/team"] == "web"
    # One patch takes the field over, one applies. Nothing else is written.
    assert granted.writes(settled.name, since=since, name="sergas-prometheus") == [("patch", "services")] * 2


async def test_writes_nothing_for_normalized_quantities(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": "2048Mi"}}
    unserved.create(
        {
            "receivers": [MAIL],
            "prometheus": {"resources": resources, "storage": {"size": "1024Gi"}},
            "alertmanager": {"resources": resources, "storage": {"size": "2048Mi"}},
        }
    )
    await controller.reconcile(KEY)
    await controller.reconcile(KEY)
    since = granted.audit_size()
    for _ in range(3):
        await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == []
    # A restart knows nothing of what the API server has normalized: it costs at most one write of such an object.
    controller._memories.clear()
    await controller.reconcile(KEY)
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == []
    # The audit log does record this operator's writes.
    unserved.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    await controller.reconcile(KEY)
    assert ("patch", "prometheuses") in granted.writes(unserved.name, since=since)


async def test_repairs_drift_of_normalized_field_once(
    unserved: Namespace, granted: ControlPlane, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server stores 1000m as 1, so the live object always differs from what was applied."""
    container = digest._container
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}}
    monkeypatch.setattr(digest, "_container", lambda settings: container(settings) | {"resources": resources})
    monkeypatch.setattr(digest, "VOLUME", "1024Mi")
    unserved.create({"receivers": [MAIL]})

    def stored() -> Any:
        template = unserved.get("StatefulSet", "sergas-digest")["spec"]["template"]
        return template["spec"]["containers"][0]["resources"]["requests"]

    await controller.reconcile(KEY)
    assert stored() == {"cpu": "1", "memory": "1Gi"}
    await controller.reconcile(KEY)
    since = granted.audit_size()
    for _ in range(3):
        await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == []
    path = "/spec/template/spec/containers/0/resources/requests/cpu"
    json_patch(unserved, "StatefulSet", "sergas-digest", {"op": "replace", "path": path, "value": "2"})
    await controller.reconcile(KEY)
    assert stored() == {"cpu": "1", "memory": "1Gi"}
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since, name="sergas-digest") == []


async def test_tolerates_rollout_restart_of_digest(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    unserved.create({"receivers": [MAIL]})
    await controller.reconcile(KEY)
    await controller.reconcile(KEY)
    annotation = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    template = {"template": {"metadata": {"annotations": annotation}}}
    since = granted.audit_size()
    unserved.patch_object("StatefulSet", "sergas-digest", {"spec": template})
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == []
    # Another change of the same object is repaired, and the annotation stays: removing it would restart the pod again.
    unserved.patch_object("StatefulSet", "sergas-digest", {"spec": {"template": {"spec": {"hostNetwork": True}}}})
    await controller.reconcile(KEY)
    assert ("patch", "statefulsets") in granted.writes(unserved.name, since=since)
    found = unserved.get("StatefulSet", "sergas-digest")["spec"]["template"]
    assert "hostNetwork" not in found["spec"]
    assert found["metadata"]["annotations"] == annotation


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize(("kind", "name"), [("StatefulSet", "sergas-digest"), ("Prometheus", "sergas")])
async def test_takes_replicas_back_from_scale_subresource(  # noqa: PLR0917  # fixtures and parameters
    unserved: Namespace, granted: ControlPlane, controller: Controller, kind: str, name: str, replicas: int
) -> None:
    unserved.create({"receivers": [MAIL], "prometheus": {"replicas": 1}})
    await controller.reconcile(KEY)
    unserved.patch_object(kind, name, {"spec": {"replicas": replicas}}, "/scale")
    await controller.reconcile(KEY)
    found = unserved.get(kind, name)
    assert found["spec"]["replicas"] == 1
    assert owners_of_content(found) == {("sergas-operator", "Apply")}
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since, name=name) == []


async def test_plan_lists_drift_and_writes_nothing(
    unserved: Namespace, granted: ControlPlane, controller: Controller
) -> None:
    unserved.create()
    await controller.reconcile(KEY)
    unserved.patch({"mode": "Plan"})
    unserved.patch_object("Prometheus", "sergas", {"spec": {"paused": True}})
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == [("patch", "sergasmonitorings/status")]
    assert unserved.status()["plannedChanges"] == [
        {"action": "Update", "kind": "Prometheus", "name": "sergas", "fields": ["spec.paused"]}
    ]


async def test_reconciles_nothing_twice(unserved: Namespace, granted: ControlPlane, controller: Controller) -> None:
    """After any of the repairs above, a second reconcile writes nothing."""
    unserved.create({"receivers": [MAIL]})
    await controller.reconcile(KEY)
    for kind, name, change in FOREIGN.values():
        unserved.patch_object(kind, name, change)
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert {resource for _, resource in granted.writes(unserved.name, since=since)} >= {"services", "prometheuses"}
    await controller.reconcile(KEY)
    since = granted.audit_size()
    await controller.reconcile(KEY)
    assert granted.writes(unserved.name, since=since) == []


def test_restores_deleted_children(settled: Namespace) -> None:
    def uids() -> dict[str, str]:
        found = {f"{kind} {name}": settled.get(kind, name) for kind, name in CHILDREN}
        return {child: body["metadata"]["uid"] for child, body in found.items() if body}

    before = uids()
    for kind, name in CHILDREN:
        settled.delete(kind, name)
    settled.wait(
        "every child is a new one",
        lambda: len(after := uids()) == len(CHILDREN) and not set(after.values()) & set(before.values()),
    )
