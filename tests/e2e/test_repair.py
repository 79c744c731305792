"""What a CR says holds: after a change of it, after a change by hand, and against a configuration no one could load."""

import base64

import pytest
import stacks
from sergas_demo import manifests, monitoring, prometheus
from sergas_demo.kube import Kube, condition, path
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.REPAIR
PROMETHEUS = path("monitoring.coreos.com/v1", NAMESPACE, "prometheuses", stacks.NAME)
CONFIG_SECRET = path("v1", NAMESPACE, "secrets", f"{stacks.NAME}-alertmanager-config")


@pytest.fixture(scope="module")
def stack(suite):
    suite.ready(NAMESPACE)
    return suite


def loaded(kube: Kube) -> str:
    [server] = prometheus.alertmanagers(kube, NAMESPACE, stacks.NAME)
    return prometheus.loaded_config(server)


def test_a_changed_retention_and_replica_count_are_real_in_the_running_pods(stack, kube):
    stack.change(NAMESPACE, {"prometheus": {"retention": "3d", "retentionSize": "500MB", "replicas": 2}})

    def look() -> None:
        prometheus.all_ready(kube, NAMESPACE, stacks.NAME, "prometheus", 2)
        for server in prometheus.servers(kube, NAMESPACE, stacks.NAME):
            runs = prometheus.retention(server)
            expect(runs == ["3d", "500MiB"], f"a Prometheus runs with a retention of {runs}")

    until("A retention of 3d and 500MB in two pods", look, seconds=150)
    assert stack.ready(NAMESPACE)["status"]["prometheus"]["ready"] == "2/2"


def test_a_prometheus_edited_by_hand_is_put_right(stack, kube):
    wanted = kube.get(PROMETHEUS)["spec"]
    kube.patch(PROMETHEUS, {"spec": {"retention": "99d", "replicas": 5}})

    def look() -> None:
        found = kube.get(PROMETHEUS)["spec"]
        expect(found == wanted, f"retention {found['retention']}, replicas {found['replicas']}")

    until("The repair of the Prometheus", look, seconds=30)


@pytest.mark.parametrize(
    ("api", "plural", "name"),
    [
        ("v1", "services", "main-prometheus"),
        ("policy/v1", "poddisruptionbudgets", "main-alertmanager"),
    ],
)
def test_a_child_deleted_by_hand_comes_back(stack, kube, api, plural, name):
    where = path(api, NAMESPACE, plural, name)
    old = kube.get(where)["metadata"]["uid"]
    kube.delete(where)

    def look() -> None:
        found = kube.get(where)
        expect(found and found["metadata"]["uid"] != old, f"{plural}/{name} is missing")

    until(f"The return of {name}", look, seconds=30)


def test_a_deleted_config_secret_comes_back_and_the_receiver_stays(stack, kube):
    before = loaded(kube)
    assert "hook" in before
    kube.delete(CONFIG_SECRET)
    until("The return of the Secret", lambda: expect(kube.get(CONFIG_SECRET), "it is missing"), seconds=30)

    def look() -> None:
        running = loaded(kube)
        expect(running == before, f"Alertmanager runs {running}")

    until("The receiver in Alertmanager", look, seconds=60)
    stack.ready(NAMESPACE)


def test_a_config_secret_edited_by_hand_is_put_right(stack, kube):
    before = kube.get(CONFIG_SECRET)["data"]
    null = base64.b64encode(b"route: {receiver: none}\nreceivers: [{name: none}]\n").decode()
    kube.patch(CONFIG_SECRET, {"data": {"alertmanager.yaml": null}})

    def look() -> None:
        found = kube.get(CONFIG_SECRET)["data"]
        changed = sorted(key for key in found.keys() | before.keys() if found.get(key) != before.get(key))
        expect(not changed, f"{', '.join(changed)} differ")

    until("The repair of the Secret", look, seconds=30)


def test_a_broken_text_in_a_receiver_is_named_and_leaves_alertmanager_with_a_config_it_can_load(stack, kube):
    slack = {"channel": "#e2e", "urlSecretRef": stacks.ref("slack", "url"), "title": "{{ .Status | toUperr }}"}
    hook = {"name": "hook", "webhook": {"urlSecretRef": stacks.ref("hook", "url")}}
    stack.change(NAMESPACE, {"receivers": [hook, {"name": "broken", "slack": slack}]})
    found = stack.says(NAMESPACE, "ReceiversReady", "TemplateInvalid")
    said = condition(found, "ReceiversReady")
    assert said["status"] == "False"
    assert said["message"].startswith("spec.receivers[1] (broken): slack.title is not a valid template, ")
    assert "toUperr" in said["message"]
    stack.says(NAMESPACE, "ConfigLoaded", "Loaded")

    stack.change(NAMESPACE, {"receivers": [hook]})
    stack.ready(NAMESPACE)


def test_a_paused_resource_leaves_a_change_by_hand_alone_until_it_is_resumed(stack, kube):
    stack.change(NAMESPACE, {"paused": True})
    until("The pause", lambda: monitoring.current(kube, NAMESPACE, stacks.NAME), seconds=30)
    kube.patch(PROMETHEUS, {"spec": {"retention": "98d"}})
    kube.apply(manifests.secret(NAMESPACE, "hook", {"url": f"{stacks.SINK}/webhook/while-paused"}))
    stack.change(NAMESPACE, {"prometheus": {"retention": "4d"}})
    until("A status while paused", lambda: monitoring.current(kube, NAMESPACE, stacks.NAME), seconds=30)
    assert kube.get(PROMETHEUS)["spec"]["retention"] == "98d"

    stack.change(NAMESPACE, {"paused": False})

    def look() -> None:
        retention = kube.get(PROMETHEUS)["spec"]["retention"]
        expect(retention == "4d", f"retention is {retention}")

    until("The repair after the pause", look, seconds=30)
    kube.apply(manifests.secret(NAMESPACE, "hook", stacks.SECRETS["hook"]))
