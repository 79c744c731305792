"""An alert reaches everyone it should, and a broken Secret silences its own receiver only."""

from datetime import UTC, datetime, timedelta

import pytest
import stacks
from sergas_demo import manifests, monitoring, prometheus
from sergas_demo.kube import Kube, condition, path
from sergas_demo.sink import KINDS, one
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.DELIVERY


@pytest.fixture(scope="module")
def stack(suite):
    suite.ready(NAMESPACE)
    return suite


def rule(expression):
    group = {
        "name": "e2e",
        "interval": "2s",
        "rules": [{"alert": "EndToEnd", "expr": expression, "labels": {"severity": "critical"}}],
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "e2e"},
        "spec": {"groups": [group]},
    }


def post_alert(kube: Kube, name: str, severity: str = "critical") -> None:
    """Hand an alert to every Alertmanager, as Prometheus does."""
    ends = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    alert = {"labels": {"alertname": name, "severity": severity}, "annotations": {"summary": name}, "endsAt": ends}
    for server in prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME):
        server.send("POST", "/api/v2/alerts", [alert])


def pod_identities(kube: Kube, app: str) -> list[tuple[str, int]]:
    return [
        (pod["metadata"]["uid"], sum(status["restartCount"] for status in pod["status"]["containerStatuses"]))
        for pod in prometheus.pods(kube, NAMESPACE, stacks.NAME, app)
    ]


def write_secret(kube: Kube, name: str) -> None:
    kube.apply(manifests.secret(NAMESPACE, name, stacks.SECRETS[name]))


def test_an_alert_that_prometheus_fires_reaches_all_four_receivers_and_so_does_its_end(stack, kube):
    [server] = prometheus.servers(kube, NAMESPACE, stacks.NAME)
    until(
        "The discovery of Alertmanager",
        lambda: expect(prometheus.alertmanagers_known(server) == 1, "Prometheus knows no Alertmanager"),
        seconds=60,
    )
    mark = stack.sink.mark()
    kube.apply(rule("vector(1)"), namespace=NAMESPACE)
    firing = until("delivery", lambda: stack.sink.arrived("EndToEnd", "firing", mark), seconds=120)
    assert firing["slack"]["channel"] == "#e2e"
    assert firing["pagerduty"]["key"] == "…aaaa"
    assert firing["email"]["to"] == ["ops@sergas.example"]
    assert firing["webhook"]["alerts"] == ["EndToEnd"]

    kube.apply(rule("vector(1) > 1"), namespace=NAMESPACE)
    resolved = until("resolution", lambda: stack.sink.arrived("EndToEnd", "resolved", mark), seconds=120)
    assert resolved["pagerduty"]["dedup_key"] == firing["pagerduty"]["dedup_key"]
    assert stack.sink.rejections(mark) == []


def test_two_hundred_alerts_at_once_reach_every_receiver_one_message_for_each_group(stack, kube):
    ends = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    names = [f"Storm{number:02}" for number in range(20)]
    storm = [
        {
            "labels": {"alertname": name, "severity": "critical", "job": "storm", "instance": f"10.0.0.{number}:80"},
            "annotations": {"summary": f"{name} on 10.0.0.{number}:80"},
            "endsAt": ends,
        }
        for name in names
        for number in range(10)
    ]
    mark = stack.sink.mark()
    [server] = prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME)
    server.send("POST", "/api/v2/alerts", storm)

    def look() -> dict[str, list[str]]:
        rows = [row for row in stack.sink.notifications(after=mark) if row["alerts"][:1] and row["alerts"][0] in names]
        found = {kind: sorted(row["alerts"][0] for row in rows if row["kind"] == kind) for kind in KINDS}
        missing = {kind: len(set(names) - set(told)) for kind, told in found.items()}
        expect(not any(missing.values()), f"groups not yet told: {missing}")
        return found

    found = until("delivery of every group", look, seconds=90)
    assert found == dict.fromkeys(KINDS, names)
    hooks = [row for row in stack.sink.notifications(after=mark, kind="webhook") if row["alerts"][0] in names]
    told = {line for row in hooks for line in row["text"].splitlines()}
    assert told == {alert["annotations"]["summary"] for alert in storm}
    titles = {row["subject"] for row in stack.sink.notifications(after=mark, kind="slack")}
    assert titles >= {f"[FIRING:10] {name} (critical) storm" for name in names}


def test_a_rotated_secret_is_used_without_a_pod_restarting(stack, kube):
    before = pod_identities(kube, "alertmanager")
    mark = stack.sink.mark()
    kube.apply(manifests.secret(NAMESPACE, "slack", {"url": f"{stacks.SINK}/slack/T0E2E/B0E2E/second"}))
    kube.apply(manifests.secret(NAMESPACE, "pagerduty", {"routing-key": stacks.ROUTING_KEY[:-4] + "bbbb"}))
    names = iter(f"Rotated{number}" for number in range(200))

    def look() -> None:
        # Alertmanager reads the files at each notification, and the kubelet brings them in its own time.
        post_alert(kube, next(names))
        one(
            stack.sink.notifications(after=mark, kind="slack", via="T0E2E/B0E2E/second"), "message at the new Slack URL"
        )
        one(stack.sink.notifications(after=mark, key="…bbbb"), "event with the new routing key")

    until("The use of the new secrets", look, seconds=150)
    assert pod_identities(kube, "alertmanager") == before
    write_secret(kube, "slack")
    write_secret(kube, "pagerduty")


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (None, "does not exist: create it with the key routing-key and the label monitoring.sergas.com/receiver=true"),
        ({"other-key": "x"}, "has no key routing-key: add the key"),
    ],
    ids=["secret", "key"],
)
def test_a_missing_secret_or_key_is_told_and_every_receiver_stays_live(stack, kube, left, problem):
    kube.delete(path("v1", NAMESPACE, "secrets", "pagerduty"))
    if left:
        kube.apply(manifests.secret(NAMESPACE, "pagerduty", left))
    sentence = (
        f"spec.receivers[1] (oncall): pagerduty.routingKeySecretRef names Secret {NAMESPACE}/pagerduty, "
        f"which {problem}; until then the last good value is used."
    )
    found = until(
        "The message", lambda: told(stack.says(NAMESPACE, "ReceiversReady", "SecretNotUsable"), sentence), seconds=30
    )
    assert condition(found, "Ready")["status"] == "False"
    assert condition(found, "ReceiversReady")["status"] == "False"
    assert {row["name"] for row in found["status"]["receivers"] if row["secretFound"]} == {"slack", "mail", "hook"}

    mark, alert = stack.sink.mark(), f"Without{'Key' if left else 'Secret'}"
    post_alert(kube, alert)
    until("delivery", lambda: stack.sink.arrived(alert, "firing", mark), seconds=60)
    write_secret(kube, "pagerduty")
    stack.ready(NAMESPACE)


def told(found, sentence):
    """The resource, once Ready says this."""
    said = condition(found, "Ready")["message"]
    expect(said == sentence, f"it says: {said}")
    return found


def test_a_receiver_added_before_its_secret_waits_and_works_once_it_is_there(stack, kube):
    late = {"name": "late", "webhook": {"urlSecretRef": stacks.ref("late", "url")}}
    stack.change(NAMESPACE, {"receivers": [*stacks.receivers(), late]})
    found = stack.says(NAMESPACE, "ReceiversReady", "SecretNotUsable")
    assert found["status"]["receiversReady"] == "4/5"
    kube.apply(manifests.secret(NAMESPACE, "late", {"url": f"{stacks.SINK}/webhook/late"}))
    stack.ready(NAMESPACE)
    mark = stack.sink.mark()
    names = iter(f"Late{number}" for number in range(200))

    def look() -> None:
        post_alert(kube, next(names))
        one(stack.sink.notifications(after=mark, kind="webhook", via="late"), "message at the late receiver")

    until("delivery to the late receiver", look, seconds=120)
    stack.change(NAMESPACE, {"receivers": stacks.receivers()})
    stack.ready(NAMESPACE)


def test_no_secret_value_is_written_anywhere_it_could_be_read_by_others(stack, kube):
    values = [stacks.SLACK_URL, stacks.ROUTING_KEY, stacks.SMTP_PASSWORD, stacks.HOOK_URL]
    config = kube.get(path("v1", NAMESPACE, "secrets", f"{stacks.NAME}-alertmanager-config"))
    written = {
        "the SergasMonitoring and its status": str(monitoring.read(kube, NAMESPACE, stacks.NAME)),
        "alertmanager.yaml": manifests.existing(kube, NAMESPACE, config["metadata"]["name"], "alertmanager.yaml"),
        "the running configuration": prometheus.loaded_config(
            prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME)[0]
        ),
        "the Prometheus and the Alertmanager": str(
            [
                kube.items(path("monitoring.coreos.com/v1", NAMESPACE, plural))
                for plural in ("prometheuses", "alertmanagers")
            ]
        ),
        "events": str(kube.items(path("v1", NAMESPACE, "events"))),
        "config maps": str(kube.items(path("v1", NAMESPACE, "configmaps"))),
        "the operator's log": kube.kubectl(
            "--namespace", stacks.OPERATOR_NAMESPACE, "logs", f"deployment/{stacks.DEPLOYMENT}", "--tail=-1"
        ),
    }
    assert all(written.values()), f"nothing to look at in {[name for name, text in written.items() if not text]}"
    assert [(name, value) for name, text in written.items() for value in values if value in text] == []
