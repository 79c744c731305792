"""The running operator with a real API server: what it writes, what it leaves alone, and what it reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import OperatorProcess
from controlplane import ControlPlane
from kube import CHILDREN, Namespace

pytestmark = pytest.mark.apiserver

SLACK = {"name": "chat", "slack": {"channel": "#critical", "urlSecretRef": {"name": "slack", "key": "url"}}}
HOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}
MAIL = {
    "name": "mail",
    "email": {"to": ["ops@example.com"], "from": "alerts@example.com", "smarthost": "smtp.example.com:587"},
}
CONFIG = "sergas-alertmanager-config"


def config(namespace: Namespace) -> dict[str, str]:
    return namespace.secret_data(CONFIG)


def uids(namespace: Namespace) -> set[str]:
    found = [namespace.get(kind, name) for kind, name in CHILDREN]
    return {body["metadata"]["uid"] for body in found if body}


def test_creates_every_child_with_owner_and_labels(namespace: Namespace) -> None:
    uid = namespace.create()["metadata"]["uid"]
    namespace.wait_for_children()
    for kind, name in CHILDREN:
        metadata = namespace.get(kind, name)["metadata"]
        assert metadata["ownerReferences"][0]["uid"] == uid
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "sergas-operator"
        assert metadata["labels"]["app.kubernetes.io/instance"] == "sergas"
        assert "finalizers" not in metadata


def test_copies_no_label_or_annotation_to_children(namespace: Namespace) -> None:
    namespace.create()
    marks = {"argocd.argoproj.io/instance": "app"}
    namespace.patch_object("SergasMonitoring", "sergas", {"metadata": {"labels": marks, "annotations": marks}})
    namespace.wait_for_children()
    for kind, name in CHILDREN:
        metadata = namespace.get(kind, name)["metadata"]
        assert not marks.keys() & (metadata["labels"].keys() | metadata.get("annotations", {}).keys())


def test_reports_that_no_receiver_is_configured(namespace: Namespace) -> None:
    namespace.create()
    condition = namespace.wait_for_condition("ReceiversReady", "NoReceivers")
    assert (condition["status"], condition["message"]) == (
        "True",
        "No notifications are sent: configure a receiver in spec.receivers.",
    )


def test_changed_field_takes_few_writes_and_unchanged_spec_takes_none(
    namespace: Namespace, granted: ControlPlane
) -> None:
    namespace.create()
    namespace.wait_for_children()
    for kind in ("Prometheus", "Alertmanager"):
        namespace.settle_as_prometheus_operator(kind)
    namespace.wait("status is quiet", lambda: namespace.status()["prometheus"]["ready"] == "2/2")
    namespace.wait("status is quiet", lambda: namespace.status()["alertmanager"]["ready"] == "3/3")
    before = granted.audit_size()
    namespace.patch({"prometheus": {"retention": "7d"}})
    namespace.wait("the retention is 7d", lambda: namespace.get("Prometheus", "sergas")["spec"]["retention"] == "7d")
    namespace.wait_for_condition("Progressing", "RollingOut")
    namespace.settle_as_prometheus_operator()
    namespace.wait_for_condition("Progressing", "Converged")
    writes = granted.writes(namespace.name, since=before)
    assert ("patch", "prometheuses") in writes
    assert {resource for _, resource in writes} == {"prometheuses", "sergasmonitorings/status"}
    assert len(writes) <= 8
    after = granted.audit_size()
    # A label is no part of the spec, but it makes the API server tell every watcher of a new version.
    namespace.patch_object("Prometheus", "sergas", {"metadata": {"labels": {"noticed": "yes"}}})
    namespace.secret("unrelated", key="value")
    namespace.create({}, "marker")
    namespace.wait("a later pass is done", lambda: namespace.status("marker"))
    assert granted.writes(namespace.name, since=after, name="sergas") == []


def test_repairs_changed_fields_of_children(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    namespace.patch_object("Prometheus", "sergas", {"spec": {"retention": "1d"}})
    namespace.patch_object("Alertmanager", "sergas", {"spec": {"replicas": 1}})
    namespace.patch_object("PodDisruptionBudget", "sergas-prometheus", {"spec": {"maxUnavailable": 2}})
    namespace.wait("30d again", lambda: namespace.get("Prometheus", "sergas")["spec"]["retention"] == "30d")
    namespace.wait("3 again", lambda: namespace.get("Alertmanager", "sergas")["spec"]["replicas"] == 3)
    budget = "PodDisruptionBudget"
    namespace.wait("1 again", lambda: namespace.get(budget, "sergas-prometheus")["spec"]["maxUnavailable"] == 1)


def test_repairs_renumbered_service_port(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    ports = [{"name": "http-web", "port": 9999, "targetPort": "http-web", "protocol": "TCP"}]
    namespace.patch_object("Service", "sergas-alertmanager", {"spec": {"ports": ports}})

    def ports_now() -> list[int]:
        return [port["port"] for port in namespace.get("Service", "sergas-alertmanager")["spec"]["ports"]]

    namespace.wait("port 9093 again", lambda: ports_now() == [9093, 8080])


def test_restores_removed_label_of_a_child(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    label = "app.kubernetes.io/managed-by"
    namespace.patch_object("Service", "sergas-prometheus", {"metadata": {"labels": {label: None}}})
    namespace.wait(
        "the label is back", lambda: label in namespace.get("Service", "sergas-prometheus")["metadata"]["labels"]
    )


def test_recreates_deleted_children(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    before = uids(namespace)
    for kind, name in CHILDREN:
        namespace.delete(kind, name)
    namespace.wait("every child is a new one", lambda: not before & uids(namespace) and len(uids(namespace)) == 7)


def test_reports_name_taken_by_a_foreign_object_and_leaves_it(namespace: Namespace) -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "sergas-prometheus"}}
    path = f"api/v1/namespaces/{namespace.name}/services"
    namespace.request("POST", path, body | {"spec": {"ports": [{"port": 80}]}})
    namespace.create()
    message = namespace.wait_for_condition("Ready", "NameTaken")["message"]
    assert message == (
        f"Service {namespace.name}/sergas-prometheus exists and does not belong to this SergasMonitoring: delete "
        f"it, or give the "
        "SergasMonitoring another name"
    )
    assert namespace.get("Service", "sergas-prometheus")["spec"]["ports"][0]["port"] == 80


def test_plan_mode_lists_changes_and_writes_no_child(namespace: Namespace) -> None:
    namespace.create({"mode": "Plan"})
    namespace.wait_for_status()
    planned = [(change["action"], change["kind"], change["name"]) for change in namespace.status()["plannedChanges"]]
    assert planned == [("Create", kind, name) for kind, name in CHILDREN]
    assert [namespace.get(kind, name) for kind, name in CHILDREN] == [None] * len(CHILDREN)
    namespace.patch({"mode": "Apply"})
    namespace.wait_for_children()
    namespace.patch({"mode": "Plan", "prometheus": {"retention": "5d"}})
    namespace.wait_for_status()
    assert namespace.status()["plannedChanges"] == [
        {"action": "Update", "kind": "Prometheus", "name": "sergas", "fields": ["spec.retention"]}
    ]
    assert namespace.get("Prometheus", "sergas")["spec"]["retention"] == "30d"
    assert namespace.condition("Progressing")["message"] == (
        "spec.mode is Plan: status.plannedChanges lists 1 changes, which mode Apply would make."
    )


def test_paused_writes_no_child(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    namespace.patch({"paused": True, "prometheus": {"retention": "5d"}})
    namespace.wait_for_condition("Progressing", "Paused")
    assert namespace.get("Prometheus", "sergas")["spec"]["retention"] == "30d"
    namespace.patch({"paused": False})
    namespace.wait("5d", lambda: namespace.get("Prometheus", "sergas")["spec"]["retention"] == "5d")


def test_removes_field_that_the_spec_no_longer_sets(namespace: Namespace) -> None:
    namespace.create({"prometheus": {"scheduling": {"nodeSelector": {"disk": "ssd"}}}})
    namespace.wait_for_children()
    namespace.patch({"prometheus": {"scheduling": {"nodeSelector": None}}})
    namespace.wait("no selector", lambda: "nodeSelector" not in namespace.get("Prometheus", "sergas")["spec"])


def test_digest_exists_only_while_an_email_receiver_gets_info_alerts(
    namespace: Namespace, granted: ControlPlane
) -> None:
    namespace.create({"receivers": [MAIL]})
    namespace.wait_for_children()
    digest = namespace.wait("the digest", lambda: namespace.get("StatefulSet", "sergas-digest"))
    namespace.wait("its Service", lambda: namespace.get("Service", "sergas-digest"))
    owner = namespace.get("SergasMonitoring", "sergas")["metadata"]["uid"]
    assert digest["metadata"]["ownerReferences"][0]["uid"] == owner
    assert "finalizers" not in digest["metadata"]
    assert digest["spec"]["replicas"] == 1
    assert json.loads(config(namespace)["_digest.json"])["receivers"][0]["name"] == "mail"
    condition = namespace.wait_for_condition("DigestAvailable", "DigestNotReady")
    assert namespace.condition("Ready")["status"] == "False"
    available = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    namespace.patch_object("StatefulSet", "sergas-digest", {"status": available}, "/status")
    assert namespace.wait_for_condition("DigestAvailable", "DigestReady")["status"] != condition["status"]

    namespace.patch_object("StatefulSet", "sergas-digest", {"spec": {"replicas": 3}})
    namespace.wait("one replica again", lambda: namespace.get("StatefulSet", "sergas-digest")["spec"]["replicas"] == 1)

    namespace.wait_for_status()
    before = granted.audit_size()
    namespace.patch({"routing": {"info": {"receivers": []}}})
    namespace.wait("it is deleted", lambda: namespace.get("StatefulSet", "sergas-digest") is None)
    namespace.wait("its Service as well", lambda: namespace.get("Service", "sergas-digest") is None)
    namespace.wait_for_condition("DigestAvailable", "NotNeeded")
    namespace.wait_for_status()
    assert len(granted.writes(namespace.name, since=before, events=True)) <= 8
    namespace.patch({"routing": {"info": {"receivers": ["mail"]}}})
    namespace.wait("it is back", lambda: namespace.get("StatefulSet", "sergas-digest"))


def test_creates_no_digest_without_email_receiver(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.create({"receivers": [HOOK]})
    namespace.wait_for_condition("DigestAvailable", "NotNeeded")
    assert namespace.list("StatefulSet") == []
    assert "_digest.json" not in config(namespace)


def test_missing_secret_affects_only_its_receiver(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.create({"receivers": [SLACK, HOOK]})
    condition = namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    assert condition["message"] == (
        f"spec.receivers[0] (chat): slack.urlSecretRef names Secret {namespace.name}/slack, which "
        f"does not exist: create it "
        "with the key url and the label monitoring.sergas.com/receiver=true; until then no alert reaches chat."
    )
    found = config(namespace)
    assert found["hook.url"] == "http://example.com/hook"
    assert "url_file: /etc/alertmanager/config/hook.url" in found["alertmanager.yaml"]
    assert "slack_configs" not in found["alertmanager.yaml"]
    assert namespace.status()["receivers"] == [
        {"name": "chat", "secretFound": False, "message": condition["message"]},
        {"name": "hook", "secretFound": True, "message": ""},
    ]
    assert namespace.status()["receiversReady"] == "1/2"
    assert namespace.condition("Ready")["status"] == "False"


def test_missing_heartbeat_secret_affects_only_the_heartbeat(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.create({"receivers": [HOOK], "heartbeat": {"urlSecretRef": {"name": "deadman", "key": "url"}}})
    condition = namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    assert condition["message"] == (
        f"spec.heartbeat: urlSecretRef names Secret {namespace.name}/deadman, which does not exist: create it with the "
        "key url and the label monitoring.sergas.com/receiver=true; until then no heartbeat is sent."
    )
    assert config(namespace)["hook.url"] == "http://example.com/hook"
    assert namespace.status()["receivers"] == [
        {"name": "hook", "secretFound": True, "message": ""},
        {"name": "_heartbeat", "secretFound": False, "message": condition["message"]},
    ]
    namespace.secret("deadman", url="https://deadman.example.com/beat")
    namespace.wait_for_condition("ReceiversReady", "ReceiversReady")
    assert config(namespace)["_heartbeat.url"] == "https://deadman.example.com/beat"


def test_reports_missing_key_of_a_secret(namespace: Namespace) -> None:
    namespace.secret("hook", address="http://example.com/hook")
    namespace.create({"receivers": [HOOK]})
    assert namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")["message"] == (
        f"spec.receivers[0] (hook): webhook.urlSecretRef names Secret {namespace.name}/hook, which "
        f"has no key url: add the "
        "key; until then no alert reaches hook."
    )


def test_rotated_secret_is_copied_without_configuration_change(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/old")
    namespace.create({"receivers": [HOOK]})
    namespace.wait_for_children()
    before = config(namespace)
    namespace.secret("hook", url="http://example.com/new")
    namespace.wait("the new address", lambda: config(namespace)["hook.url"] == "http://example.com/new")
    assert config(namespace)["alertmanager.yaml"] == before["alertmanager.yaml"]


@pytest.mark.parametrize("broken", [None, "", "not an address"])
def test_keeps_last_good_value_of_a_broken_secret(namespace: Namespace, broken: str | None) -> None:
    namespace.secret("hook", url="http://example.com/good")
    namespace.create({"receivers": [HOOK]})
    namespace.wait_for_children()
    if broken is None:
        namespace.delete("Secret", "hook")
    else:
        namespace.secret("hook", url=broken)
    condition = namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    trouble = (
        "which does not exist: create it with the key url and the label monitoring.sergas.com/receiver=true"
        if broken is None
        else "whose key url is not a URL that begins with https:// or http://: correct the value"
    )
    assert condition["message"] == (
        f"spec.receivers[0] (hook): webhook.urlSecretRef names Secret {namespace.name}/hook, "
        f"{trouble}; until then the last "
        "good value is used."
    )
    assert config(namespace)["hook.url"] == "http://example.com/good"
    namespace.secret("hook", url="http://example.com/better")
    namespace.wait_for_condition("ReceiversReady", "ReceiversReady")
    assert config(namespace)["hook.url"] == "http://example.com/better"


def test_invalid_template_affects_only_its_text(namespace: Namespace) -> None:
    namespace.secret("hook", url="http://example.com/hook")
    namespace.secret("slack", url="https://hooks.slack.com/services/x")
    broken = SLACK | {"slack": SLACK["slack"] | {"title": "{{ if .CommonLabels.job }}{{ .Status | shout }}{{ end }}"}}
    namespace.create({"receivers": [broken, HOOK]})
    assert namespace.wait_for_condition("ReceiversReady", "TemplateInvalid")["message"] == (
        "spec.receivers[0] (chat): slack.title is not a valid template, line 1, column 27: the "
        "function shout does not exist: write a field with a dot, such as .shout, or quote the text; "
        "until then the default text is sent."
    )
    text = config(namespace)["alertmanager.yaml"]
    assert "shout" not in text
    assert "api_url_file: /etc/alertmanager/config/chat.url" in text
    assert "url_file: /etc/alertmanager/config/hook.url" in text


def test_no_secret_value_in_status_events_logs_or_children(namespace: Namespace, operator: OperatorProcess) -> None:
    namespace.secret("hook", url="http://example.com/t0ken-of-hook")
    namespace.secret("slack", url="broken t0ken-of-slack")
    namespace.create({"receivers": [SLACK, HOOK]})
    namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    public = [
        str(namespace.get("SergasMonitoring", "sergas")),
        str(namespace.list("Event")),
        config(namespace)["alertmanager.yaml"],
        operator.log.read_text(),
        *(str(namespace.get(kind, name)) for kind, name in CHILDREN if kind != "Secret"),
    ]
    assert not any("t0ken" in text for text in public)


def test_posts_one_event_per_change_with_its_fields(namespace: Namespace) -> None:
    namespace.create({"receivers": [HOOK]})
    namespace.wait_for_condition("ReceiversReady", "SecretNotUsable")
    namespace.patch({"prometheus": {"retention": "9d"}})
    namespace.wait_for_status()

    def posted(reason: str) -> list[tuple[str, str]]:
        return [(event["type"], event["message"]) for event in namespace.list("Event") if event["reason"] == reason]

    namespace.wait("the Event is posted", lambda: posted("Updated"))
    assert posted("Updated") == [("Normal", "Updated Prometheus sergas (spec.retention).")]
    assert posted("SecretNotUsable") == [("Warning", namespace.condition("ReceiversReady")["message"])]


def test_status_follows_prometheus_operator(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    waiting = namespace.wait_for_condition("PrometheusAvailable", "WaitingForPrometheusOperator")
    assert waiting["message"] == (
        f"Prometheus {namespace.name}/sergas has no status: check that the Prometheus Operator runs "
        f"and serves the namespace "
        f"{namespace.name}."
    )
    namespace.settle_as_prometheus_operator("Prometheus", availableReplicas=1)
    degraded = namespace.wait_for_condition("PrometheusAvailable", "ReplicasNotReady")
    assert degraded["message"] == (
        f"1 of 2 Prometheus replicas are ready: type `kubectl -n {namespace.name} get pods -l prometheus=sergas`."
    )
    assert namespace.status()["prometheus"] == {"replicas": 2, "readyReplicas": 1, "ready": "1/2"}
    namespace.settle_as_prometheus_operator("Prometheus")
    assert namespace.wait_for_condition("PrometheusAvailable", "ReplicasReady")["status"] == "True"


def test_condition_keeps_transition_time_while_status_is_unchanged(namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    before = namespace.condition("ReceiversReady")["lastTransitionTime"]
    stamped = "2020-01-01T00:00:00Z"
    conditions = namespace.status()["conditions"]
    for condition in conditions:
        condition["lastTransitionTime"] = stamped
    namespace.patch_object("SergasMonitoring", "sergas", {"status": {"conditions": conditions}}, "/status")
    namespace.patch({"prometheus": {"retention": "4d"}})
    namespace.wait_for_status()
    assert before != stamped
    assert namespace.condition("ReceiversReady")["lastTransitionTime"] == stamped


def add_claim(namespace: Namespace, name: str) -> None:
    """Makes a claim as a StatefulSet of Prometheus would; nothing binds it here."""
    labels = {
        "app.kubernetes.io/instance": "sergas",
        "app.kubernetes.io/part-of": "sergas-monitoring",
        "app.kubernetes.io/name": "prometheus",
    }
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}},
    }
    namespace.request("POST", f"api/v1/namespaces/{namespace.name}/persistentvolumeclaims", claim)


def bind_claim(namespace: Namespace, name: str) -> None:
    """Reports a claim as bound to a volume of 50Gi."""
    bound = {"status": {"phase": "Bound", "capacity": {"storage": "50Gi"}}}
    namespace.patch_object("PersistentVolumeClaim", name, bound, "/status")


def test_ignores_claim_of_a_replica_that_is_gone(namespace: Namespace) -> None:
    namespace.create({"prometheus": {"replicas": 1}})
    namespace.wait_for_children()
    add_claim(namespace, "prometheus-sergas-db-prometheus-sergas-1")
    add_claim(namespace, "prometheus-sergas-db-prometheus-sergas-0")
    namespace.wait_for_condition("StorageReady", "VolumesPending")
    bind_claim(namespace, "prometheus-sergas-db-prometheus-sergas-0")
    namespace.wait_for_condition("StorageReady", "VolumesReady")
    assert [volume["pvc"] for volume in namespace.status()["storage"]] == ["prometheus-sergas-db-prometheus-sergas-0"]


def test_reports_small_volume_with_the_command_that_grows_it(namespace: Namespace) -> None:
    namespace.create({"prometheus": {"storage": {"size": "60Gi"}}})
    namespace.wait_for_children()
    name = "prometheus-sergas-db-prometheus-sergas-0"
    add_claim(namespace, name)
    namespace.wait_for_condition("StorageReady", "VolumesPending")
    bind_claim(namespace, name)
    assert namespace.wait_for_condition("StorageReady", "VolumesTooSmall")["message"] == (
        f"Volume {name} holds 50Gi, less than the requested 60Gi, and is not resized automatically: type "
        f"`kubectl -n "
        f"{namespace.name} patch pvc {name} -p "
        f'\'{{"spec":{{"resources":{{"requests":{{"storage":"60Gi"}}}}}}}}\'` if '
        "its StorageClass allows expansion."
    )
    assert namespace.status()["storage"] == [{"pvc": name, "requested": "60Gi", "actual": "50Gi"}]


def test_exposes_its_metrics(operator: OperatorProcess, namespace: Namespace) -> None:
    namespace.create()
    namespace.wait_for_children()
    text = operator.get("/metrics", operator.metrics_port)
    for name in (
        'sergas_operator_reconcile_total{result="success"}',
        "sergas_operator_reconcile_duration_seconds_bucket",
        "sergas_operator_queue_depth",
        'sergas_operator_api_writes_total{kind="Prometheus",verb="create"}',
        "sergas_operator_last_successful_reconcile_timestamp_seconds",
        "sergas_operator_monitorings",
    ):
        assert name in text
