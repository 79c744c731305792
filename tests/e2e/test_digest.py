"""The digest mails info alerts although its pod and Alertmanager's are deleted and the mail server refuses mail."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import stacks
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import Kube, Object, condition, path
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.DIGEST
PORT = 8080
TO = "digest@sergas.example"


@pytest.fixture(scope="module")
def stack(suite):
    suite.ready(NAMESPACE)
    yield suite
    suite.sink.clear_faults()


def pods(kube: Kube) -> list[Object]:
    selector = f"app.kubernetes.io/name=digest,app.kubernetes.io/instance={stacks.NAME}"
    return kube.items(path("v1", NAMESPACE, "pods"), labelSelector=selector)


def ready_pod(kube: Kube) -> Object:
    found = pods(kube)
    expect(len(found) == 1 and prometheus.ready(found[0]), f"{len(found)} digest pods, not one that is ready")
    return found[0]


def metric(kube: Kube, name: str) -> float:
    """A metric of the digest, summed over all receivers."""
    text = kube.pod(NAMESPACE, ready_pod(kube)["metadata"]["name"], PORT).text("/metrics")
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def alert(name: str) -> Object:
    """An info alert that starts now and ends in ten minutes."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": name, "severity": "info"},
        "annotations": {"summary": f"{name} for the digest"},
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=10)).isoformat(),
    }


def post(kube: Kube, *alerts: Object, ended: bool = False) -> None:
    """Posts alerts to every Alertmanager, as Prometheus does when they start and when they end."""
    if ended:
        alerts = tuple(found | {"endsAt": datetime.now(UTC).isoformat()} for found in alerts)
    for server in prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME):
        server.send("POST", "/api/v2/alerts", list(alerts))


def mailed(stack, mark: str) -> list[str]:
    return [row["text"] for row in stack.sink.notifications(after=mark, kind="email", to=TO)]


def received(kube: Kube, more_than: float) -> None:
    count = metric(kube, "sergas_digest_alerts_received_total")
    expect(count > more_than, f"the digest received {count:.0f} alerts")


def test_an_alert_that_fired_and_ended_is_in_the_mail(stack, kube):
    mark, fired = stack.sink.mark(), alert("ShortAlert")
    before = until("A metric", lambda: metric(kube, "sergas_digest_alerts_received_total"), seconds=30)
    post(kube, fired)
    until("its start", lambda: received(kube, before), seconds=30)
    post(kube, fired, ended=True)

    def look() -> None:
        ends = [
            text
            for text in mailed(stack, mark)
            if re.search(r"ShortAlert for the digest\nalertname: .*\nfrom .* to .* UTC", text)
        ]
        expect(len(ends) == 1, f"{len(ends)} mails report its end, of {len(mailed(stack, mark))}")

    until("The mail", look, seconds=60)


def test_alerts_that_were_not_mailed_survive_the_deletion_of_both_pods(stack, kube):
    stack.sink.fault("email", 451)
    mark, kept, firing = stack.sink.mark(), alert("KeptOnDisk"), alert("AcrossPods")
    before = until("A metric", lambda: metric(kube, "sergas_digest_alerts_received_total"), seconds=30)
    post(kube, kept, firing)
    until("two starts", lambda: received(kube, before + 1), seconds=30)
    post(kube, kept, ended=True)
    until("one end", lambda: received(kube, before + 2), seconds=30)
    until(
        "A refused mail",
        lambda: expect(metric(kube, "sergas_digest_mail_failures_total") > 0, "no mail was refused"),
        seconds=60,
    )

    [alertmanager] = prometheus.pods(kube, NAMESPACE, stacks.NAME, "alertmanager")
    old = {pod["metadata"]["uid"] for pod in (alertmanager, *pods(kube))}
    for pod in (alertmanager, *pods(kube)):
        kube.kubectl(
            "--namespace", NAMESPACE, "delete", "pod", pod["metadata"]["name"], "--grace-period=1", "--wait=false"
        )

    def replaced() -> None:
        [now] = prometheus.all_ready(kube, NAMESPACE, stacks.NAME, "alertmanager", 1)
        uids = {now["metadata"]["uid"], ready_pod(kube)["metadata"]["uid"]}
        expect(not uids & old, "an old pod is still there")

    until("New pods", replaced, seconds=120)
    post(kube, firing, ended=True)
    stack.sink.clear_faults()

    def look() -> None:
        sent = "\n".join(mailed(stack, mark))
        missing = [name for name in ("KeptOnDisk", "AcrossPods") if f"{name} for the digest" not in sent]
        expect(not missing, f"{', '.join(missing)} not mailed; pending: {metric(kube, 'sergas_digest_alerts_pending')}")

    until("The mail", look, seconds=90)
    stack.ready(NAMESPACE)


def test_digest_is_deleted_without_receivers_and_created_again(stack, kube):
    stack.change(NAMESPACE, {"routing": {"info": {"receivers": []}}})
    stack.says(NAMESPACE, "DigestAvailable", "NotNeeded")
    until("The deletion of the digest's pod", lambda: expect(not pods(kube), "it still runs"), seconds=90)
    stack.change(NAMESPACE, {"routing": {"info": {"receivers": ["mail"]}}})
    said = condition(stack.says(NAMESPACE, "DigestAvailable", "DigestReady", seconds=120), "DigestAvailable")
    assert said["message"] == "Info alerts are stored and mailed every 5s to mail."
    assert "finalizers" not in kube.get(path("apps/v1", NAMESPACE, "statefulsets", f"{stacks.NAME}-digest"))["metadata"]
    monitoring.settled(kube, NAMESPACE, stacks.NAME)
