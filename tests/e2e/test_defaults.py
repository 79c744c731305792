"""An empty spec: a highly available stack that says it tells no one, and then leaves the cluster alone."""

import operating
import pytest
import stacks
from audit import writes_by_operator
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import Kube, condition, path
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.DEFAULTS


@pytest.fixture(scope="module")
def stack(suite):
    suite.ready(NAMESPACE, seconds=240)
    return suite


def children(kube: Kube) -> dict[str, dict]:
    """Every child of the SergasMonitoring by kind and name."""
    found = {}
    for api, plural in (
        ("monitoring.coreos.com/v1", "prometheuses"),
        ("monitoring.coreos.com/v1", "alertmanagers"),
        ("v1", "secrets"),
        ("v1", "services"),
        ("policy/v1", "poddisruptionbudgets"),
    ):
        selector = "app.kubernetes.io/managed-by=sergas-operator"
        for item in kube.items(path(api, NAMESPACE, plural), labelSelector=selector):
            found[f"{plural}/{item['metadata']['name']}"] = item
    return found


def test_an_empty_spec_becomes_two_prometheus_and_three_alertmanagers(stack, kube):
    assert len(prometheus.all_ready(kube, NAMESPACE, stacks.NAME, "prometheus", 2)) == 2
    assert len(prometheus.all_ready(kube, NAMESPACE, stacks.NAME, "alertmanager", 3)) == 3
    assert sorted(children(kube)) == [
        "alertmanagers/main",
        "poddisruptionbudgets/main-alertmanager",
        "poddisruptionbudgets/main-prometheus",
        "prometheuses/main",
        "secrets/main-alertmanager-config",
        "services/main-alertmanager",
        "services/main-prometheus",
    ]


def test_kubectl_get_shows_replicas_retention_and_receivers(stack, kube):
    header, row = (line.split() for line in kube.kubectl("-n", NAMESPACE, "get", "sergasmon").splitlines())
    assert header == ["NAME", "READY", "PROMETHEUS", "ALERTMANAGER", "RETENTION", "RECEIVERS", "AGE"]
    assert row[:6] == ["main", "True", "2/2", "3/3", "30d", "0/0"]
    wide = kube.kubectl("-n", NAMESPACE, "get", "sergasmon", "-o", "wide").splitlines()[0].split()
    assert wide[7:] == ["REASON", "PAUSED"]


def test_status_says_plainly_that_no_alert_reaches_anyone(stack, kube):
    found = monitoring.read(kube, NAMESPACE, stacks.NAME)
    ready, receivers = condition(found, "Ready"), condition(found, "ReceiversReady")
    assert (ready["status"], ready["reason"]) == ("True", "NoReceivers")
    assert (receivers["status"], receivers["reason"]) == ("True", "NoReceivers")
    assert ready["message"] == receivers["message"]
    assert "no notifications are sent" in ready["message"].lower()
    assert "spec.receivers" in ready["message"]


def test_the_alertmanagers_form_one_cluster_and_prometheus_sends_to_all_three(stack, kube):
    def look() -> None:
        for server in prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME):
            peers = len(server.json("/api/v2/status")["cluster"]["peers"])
            expect(peers == 3, f"an Alertmanager sees {peers} of 3 peers")
        for server in prometheus.servers(kube, NAMESPACE, stacks.NAME):
            known = prometheus.alertmanagers_known(server)
            expect(known == 3, f"a Prometheus knows {known} of 3 Alertmanagers")

    until("A cluster of three Alertmanagers", look, seconds=90)


def test_services_answer_on_their_named_port(stack, kube):
    for app in ("prometheus", "alertmanager"):
        assert kube.service(NAMESPACE, f"{stacks.NAME}-{app}", "http-web").text("/-/ready")


def test_no_object_ever_carries_a_finalizer(stack, kube):
    owned = {"main": monitoring.read(kube, NAMESPACE, stacks.NAME)} | children(kube)
    assert {
        name: item["metadata"]["finalizers"] for name, item in owned.items() if "finalizers" in item["metadata"]
    } == {}


def test_a_converged_resource_is_not_written_to_over_two_resyncs(stack, kube, audit):
    with writes_by_operator(kube, NAMESPACE, audit) as writes:
        operating.wait_for_resyncs(kube, 2)
    assert writes() == []


def test_restarting_the_operator_changes_nothing(stack, kube, audit):
    before = {name: item["metadata"]["resourceVersion"] for name, item in children(kube).items()}
    old = until("The operator", lambda: operating.ready_pod(kube), seconds=60)["metadata"]
    with writes_by_operator(kube, NAMESPACE, audit) as writes:
        kube.delete(path("v1", stacks.OPERATOR_NAMESPACE, "pods", old["name"]))

        def look() -> None:
            new = operating.ready_pod(kube)["metadata"]
            expect(new["uid"] != old["uid"], "the old pod is still there")

        until("The operator's return", look, seconds=90)
        operating.wait_for_resyncs(kube, 1)
    assert writes() == []
    assert {name: item["metadata"]["resourceVersion"] for name, item in children(kube).items()} == before


def test_every_pod_passes_the_restricted_pod_security_standard(stack, kube):
    for name in (NAMESPACE, stacks.OPERATOR_NAMESPACE):
        labels = kube.get(path("v1", "", "namespaces", name))["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        refused = [
            event for event in kube.items(path("v1", name, "events")) if "PodSecurity" in event.get("message", "")
        ]
        assert refused == []


def test_a_second_apply_of_the_same_resource_changes_nothing(stack, kube):
    said = kube.apply(monitoring.resource(stacks.NAME, {}), namespace=NAMESPACE)
    assert said == f"sergasmonitoring.monitoring.sergas.com/{stacks.NAME} unchanged\n"
