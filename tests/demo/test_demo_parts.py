"""The demo's own parts, without a cluster."""

import io
from types import SimpleNamespace

import pytest
import yaml
from rich.console import Console
from sergas_demo import cli, manifests, ownership
from sergas_demo.install import image_values, rolled_out
from sergas_demo.kube import Web, condition, path
from sergas_demo.progress import Progress
from sergas_demo.sink import Sink
from sergas_demo.stage import Step, StoryError
from sergas_demo.waiting import NotYet


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("v1", "default", "pods", "web-0"), "/api/v1/namespaces/default/pods/web-0"),
        (("v1", "", "namespaces", "default"), "/api/v1/namespaces/default"),
        (("apps/v1", "default", "deployments"), "/apis/apps/v1/namespaces/default/deployments"),
    ],
)
def test_paths_follow_the_api_servers_layout(arguments, expected):
    assert path(*arguments) == expected


def test_a_missing_condition_reads_as_unknown():
    assert condition(None, "Ready") == {
        "status": "Unknown",
        "reason": "",
        "message": "there is no condition Ready yet",
    }


def test_an_image_reference_becomes_the_charts_values():
    assert image_values("ghcr.io/sergas/sergas-operator:dev-0123456789ab") == [
        "--set-string",
        "operator.image.registry=ghcr.io",
        "--set-string",
        "operator.image.repository=sergas/sergas-operator",
        "--set-string",
        "operator.image.tag=dev-0123456789ab",
        "--set-string",
        "operator.image.pullPolicy=IfNotPresent",
    ]


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}, True),
        ({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 1}, False),
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}, False),
        ({}, False),
    ],
)
def test_a_deployment_is_rolled_out_when_its_newest_pods_alone_are_ready(status, done):
    assert rolled_out({"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}) is done


def test_every_container_of_the_demo_keeps_to_the_restricted_pod_security_standard():
    objects = [*manifests.far_end("sink:1"), *manifests.application("app:1")]
    pods = [item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment"]
    assert len(pods) == 3
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["image"] in ("sink:1", "app:1")
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_everything_the_demo_applies_is_in_its_namespaces():
    objects = [*manifests.far_end("sink:1"), *manifests.application("app:1")]
    assert {item["metadata"]["namespace"] for item in objects} == {"sergas-demo"}
    assert {item["metadata"]["name"] for item in manifests.namespaces()} == {"sergas-demo", "sergas-demo-monitoring"}


def test_the_receivers_of_the_demo_find_their_secrets_and_their_servers():
    empty_cluster = SimpleNamespace(get=lambda _: None)
    written = {
        (item["metadata"]["namespace"], item["metadata"]["name"]): item["stringData"]
        for item in manifests.receiver_secrets(empty_cluster)
    }
    text = yaml.safe_dump(manifests.sergas_monitoring())
    for (namespace, name), values in written.items():
        if namespace == "sergas-demo-monitoring":
            assert all(f"key: {key}\n" in text for key in values), name
            assert not any(value in text for value in values.values()), f"{name}: a secret value stands in the CR"
    [password] = {values["password"] for values in written.values() if "password" in values}
    assert len(password) >= 24
    assert len(written["sergas-demo-monitoring", "pagerduty"]["routing-key"]) == 32


def test_secret_values_that_are_there_already_are_kept():
    cluster = SimpleNamespace(get=lambda _: {"data": {"password": "b2xk", "routing-key": "a2V5"}})
    written = {item["metadata"]["name"]: item["stringData"] for item in manifests.receiver_secrets(cluster)}
    assert written["mail"] == {"password": "old"}
    assert written["sink-login"] == {"username": "alerts", "password": "old"}
    assert written["pagerduty"] == {"routing-key": "key"}


def test_the_demo_waits_until_every_kind_of_receiver_has_the_alert(sink, slack_message, pagerduty_event):
    asked = Sink.__new__(Sink)
    asked._web = Web(sink.web, "")
    mark = asked.mark()
    sink.web.post("/slack/team", json=slack_message())
    sink.web.post("/v2/enqueue", json=pagerduty_event(routing_key="short"))
    with pytest.raises(NotYet) as seen:
        asked.arrived("HighErrorRate", "firing", mark)
    assert str(seen.value) == (
        "firing HighErrorRate is at slack, not yet at pagerduty, email, webhook "
        "(refused: pagerduty: Length of 'routing_key' is incorrect (should be 32 characters))"
    )
    sink.web.post("/v2/enqueue", json=pagerduty_event())
    with pytest.raises(NotYet) as seen:
        asked.arrived("HighErrorRate", "firing", asked.mark())
    assert str(seen.value) == "firing HighErrorRate is at none, not yet at slack, pagerduty, email, webhook"


def test_without_a_terminal_steps_are_told_in_plain_lines():
    screen = io.StringIO()
    progress = Progress(Console(file=screen, width=200))
    with progress.step("Install the chart") as (say, row):
        say("helm is waiting [for] the operator")
        say("dropped: it comes too soon after the line before")
        row.result = "installed"
    lines = screen.getvalue().splitlines()
    assert lines[:2] == ["...   Install the chart", "      helm is waiting [for] the operator"]
    assert lines[2].startswith("ok ")
    assert lines[2].endswith(" s  Install the chart  installed")
    assert len(lines) == 3


def test_a_failed_step_names_itself_the_reason_and_what_to_type(monkeypatch):
    def fail(stage, say):
        raise StoryError("The images could not be built.")

    screen = io.StringIO()
    monkeypatch.setattr(cli, "STORY", (Step("Build the images", fail, ("python tests/e2e/cluster images",)),))
    assert cli.up(Console(file=screen, width=200)) == 1
    assert screen.getvalue().splitlines() == [
        "...   Build the images",
        "failed  Build the images",
        "The images could not be built.",
        "To look further, type:",
        "  python tests/e2e/cluster images",
        "Then run `make demo` again; it goes on from what is there.",
    ]


def test_the_closing_table_shows_what_came_of_a_step_as_it_was_said():
    screen = io.StringIO()
    progress = Progress(Console(file=screen, width=120))
    with progress.step("Follow the alert") as (_, row):
        row.result = "[FIRING:1] HighErrorRate"
    screen.truncate(0)
    progress.console.print(progress.table())
    assert "[FIRING:1] HighErrorRate" in screen.getvalue()


class Collection:
    """The namespaces of a cluster, by name."""

    def __init__(self, **annotations):
        self.items = {
            name.replace("_", "-"): {"metadata": {"name": name.replace("_", "-"), "annotations": found}}
            for name, found in annotations.items()
        }

    def get(self, place):
        return self.items.get(place.rpartition("/")[2])

    def create(self, _, item):
        assert item["metadata"]["name"] not in self.items
        self.items[item["metadata"]["name"]] = item
        return True


def test_creates_namespaces_with_its_mark_and_recognizes_them_afterwards():
    cluster = Collection()
    ownership.create_namespaces(cluster, manifests.namespaces(), ownership.DEMO)
    ownership.create_namespaces(cluster, manifests.namespaces(), ownership.DEMO)
    names = ["sergas-demo", "sergas-demo-monitoring", "monitoring"]
    assert ownership.owned_namespaces(cluster, names, ownership.DEMO) == names[:2]
    assert ownership.owned_namespaces(cluster, names, ownership.E2E) == []


def test_refuses_a_namespace_that_somebody_else_created_and_creates_none():
    cluster = Collection(sergas_demo={"team": "sales"})
    with pytest.raises(ownership.ForeignError) as refused:
        ownership.create_namespaces(cluster, manifests.namespaces(), ownership.DEMO)
    assert str(refused.value) == (
        "The namespace sergas-demo exists and was not created by sergas-demo: it has no annotation"
        " monitoring.sergas.com/created-by=sergas-demo. Nothing was changed. Rename or delete that namespace, or use"
        " another cluster."
    )
    assert list(cluster.items) == ["sergas-demo"]


def test_every_object_that_the_demo_applies_carries_the_label_by_which_it_is_removed():
    empty_cluster = SimpleNamespace(get=lambda _: None)
    objects = manifests.labelled([*manifests.far_end("sink:1"), *manifests.application("app:1")])
    objects += manifests.labelled(manifests.receiver_secrets(empty_cluster))
    for item in objects:
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "sergas-demo"
        assert item["kind"] in {"Deployment", "Service", "Secret"}, "cleanup.OWN_KINDS does not delete this kind"


def test_the_demo_watches_only_what_its_own_chart_brings():
    assert manifests.sergas_monitoring()["spec"]["prometheus"]["discovery"] == {"matchLabels": {"release": "sergas"}}
