"""A life under Argo CD, told in order: each test goes on where the one before it ended."""

import pytest
from applications import ALL, CHART, CRDS, MONITORING, account, where
from scene import HOOK, MANAGER, MONITORING_NAMESPACE, NAME, SLACK, spec
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import path
from sergas_demo.waiting import expect, until
from writes import managers_of

ARGOCD = "argocd-controller"
PROMETHEUS = path("monitoring.coreos.com/v1", MONITORING_NAMESPACE, "prometheuses", NAME)
MONITOR = path("monitoring.coreos.com/v1", MONITORING_NAMESPACE, "servicemonitors", "sergas-app-api")
ROUNDS = 60
# What the Prometheus Operator makes from a Prometheus and an Alertmanager, and writes again whenever a Secret changes.
GENERATED = (f"prometheus-{NAME}", f"alertmanager-{NAME}", "prometheus-operated", "alertmanager-operated")
LONG = spec()["prometheus"] | {"retention": "20d"}
REFUSED = (
    "spec.prometheus.retention: Invalid value: \"30 days\": '30 days' is not a retention time: write a number and a "
    "unit of y, w, d, h, m or s without spaces, such as 30d, 2w or 1y"
)
MISSING = (
    "spec.receivers[1] (oncall): pagerduty.routingKeySecretRef names Secret monitoring/pagerduty, which does not exist:"
    " create it with the key routing-key and the label monitoring.sergas.com/receiver=true; until then no alert reaches"
    " oncall."
)


def rightful(write):
    """Whether a write, while nothing changes, is its manager's own business: a status, or what is generated from ours.

    Argo CD and our operator have no such business.
    """
    if write.manager == "PrometheusOperator":
        return write.part == "status" or write.name.startswith(GENERATED)
    return write.manager.startswith("kube-") and write.part == "status"


@pytest.fixture(scope="module")
def from_nothing(scene):
    """Everything that manifests/argocd makes, synced and healthy."""
    revision = scene.commit("The first SergasMonitoring")
    files = scene.shipped()
    with scene.ledger.event("from nothing") as event:
        scene.kube.apply(*files)
        scene.applications.wait_synced("", CRDS)
        until(
            "The namespace",
            lambda: expect(scene.kube.get("/api/v1/namespaces/monitoring"), "it is missing"),
            seconds=90,
        )
        scene.secrets()
        scene.applications.wait_synced("", CHART)
        scene.applications.wait_synced(revision, MONITORING)
        event.mark("Synced")
        scene.applications.wait_healthy(*ALL)
        event.mark("Healthy")
    return scene


def changed(scene, name, message, look, **fields):
    """Commit a change, and return its event once it is synced, healthy and seen by `look`."""
    with scene.ledger.event(name) as event:
        revision = scene.commit(message, **fields)
        scene.applications.refresh(MONITORING)
        scene.applications.wait_synced(revision, MONITORING)
        event.mark("Synced")
        until(f"{name} in the running pods", look, seconds=150)
        event.mark("in the pods after")
        scene.ready()
        scene.applications.wait_healthy(MONITORING)
        event.mark("Healthy")
    return event


def test_from_nothing_everything_becomes_synced_and_healthy(from_nothing):
    found = monitoring.read(from_nothing.kube, MONITORING_NAMESPACE, NAME)
    assert (found["status"]["prometheus"]["ready"], found["status"]["alertmanager"]["ready"]) == ("1/1", "1/1")
    seen = from_nothing.applications.resource(MONITORING, "SergasMonitoring")
    assert seen["health"]["message"] == from_nothing.condition("Ready")["message"]


def test_no_application_warns(from_nothing):
    for name in ALL:
        status = from_nothing.applications.read(name)["status"]
        assert not status.get("conditions"), account(from_nothing.applications.read(name))


def test_a_commit_that_changes_the_retention_reaches_the_running_prometheus(from_nothing):
    kube = from_nothing.kube

    def look():
        [server] = prometheus.servers(kube, MONITORING_NAMESPACE, NAME) or [None]
        runs = prometheus.retention(server)[0] if server else "nothing"
        expect(runs == "20d", f"Prometheus runs with {runs}")

    changed(from_nothing, "a commit changes the retention", "Keep 20 days", look, prometheus=LONG)


def test_a_commit_that_adds_a_receiver_reaches_the_running_alertmanager(from_nothing):
    kube = from_nothing.kube

    def look():
        [server] = prometheus.alertmanagers(kube, MONITORING_NAMESPACE, NAME) or [None]
        runs = prometheus.loaded_config(server) if server else ""
        expect("name: hook" in runs, f"Alertmanager runs {runs}")

    receivers = [SLACK, HOOK]
    changed(
        from_nothing,
        "a commit adds a receiver",
        "Tell the hook too",
        look,
        prometheus=LONG,
        receivers=receivers,
        routing={"critical": {"receivers": ["slack", "hook"]}},
    )


def test_sixty_passes_and_sixty_refreshes_later_nothing_has_been_written(from_nothing):
    scene, kube = from_nothing, from_nothing.kube
    secret = path("v1", MONITORING_NAMESPACE, "secrets", "slack")
    with scene.ledger.event(f"{ROUNDS} forced passes of the operator, {ROUNDS} Argo CD refreshes") as event:
        for number in range(ROUNDS):
            name = ALL[number % len(ALL)]
            before = scene.passes()
            # A change of a Secret that the SergasMonitoring reads asks for a pass over it.
            kube.patch(secret, {"metadata": {"annotations": {"sergas.example/round": str(number)}}})
            scene.applications.refresh(name, kind="hard" if number % 2 else "normal")
            until(f"Refresh {number}", lambda name=name: scene.applications.refreshed(name), seconds=30)
            until(f"Pass {number}", lambda n=before: expect(scene.passes() > n, "no pass yet"), seconds=30)
        for name in ALL:
            scene.applications.synced(name)
            scene.applications.health(name)
        event.mark("over after")
    own = [write for write in event.writes if (write.resource, write.name) == ("secrets", "slack")]
    assert len(own) == ROUNDS
    wrong = [write for write in event.writes if write not in own and not rightful(write)]
    assert not wrong, f"written though nothing changed, or not by its manager: {wrong}"


def test_a_child_of_the_operator_edited_by_hand_is_put_right_by_the_operator_alone(from_nothing):
    scene, kube = from_nothing, from_nothing.kube
    wanted = kube.get(PROMETHEUS)["spec"]
    with scene.ledger.event("a Prometheus edited by hand") as event:
        kube.patch(f"{PROMETHEUS}?fieldManager=hand", {"spec": {"retention": "99d"}})
        until("The repair", lambda: expect(kube.get(PROMETHEUS)["spec"] == wanted, "it is still as edited"), seconds=30)
        event.mark("put right after")
        scene.ready()
        scene.applications.wait_healthy(MONITORING)
        event.mark("Healthy")
    assert managers_of(event.writes)[f"prometheuses/{NAME}"] == {"hand", MANAGER}
    assert ARGOCD not in event.managers


def test_an_object_of_the_chart_edited_by_hand_is_put_right_by_argo_cd_alone(from_nothing):
    scene, kube = from_nothing, from_nothing.kube
    wanted = kube.get(MONITOR)["spec"]
    with scene.ledger.event("a ServiceMonitor edited by hand") as event:
        endpoints = [wanted["endpoints"][0] | {"interval": "99s"}]
        kube.patch(f"{MONITOR}?fieldManager=hand", {"spec": {"endpoints": endpoints}})
        until("The repair", lambda: expect(kube.get(MONITOR)["spec"] == wanted, "it is still as edited"), seconds=60)
        event.mark("put right after")
        scene.applications.wait_synced("", CHART)
        event.mark("Synced")
    assert managers_of(event.writes)["servicemonitors/sergas-app-api"] == {"hand", ARGOCD}
    assert MANAGER not in event.managers


def test_the_spec_edited_by_hand_is_put_right_by_argo_cd(from_nothing):
    scene, kube = from_nothing, from_nothing.kube
    place = monitoring.where(MONITORING_NAMESPACE, NAME)
    with scene.ledger.event("the SergasMonitoring edited by hand") as event:
        kube.patch(f"{place}?fieldManager=hand", {"spec": {"prometheus": {"retention": "21d"}}})

        def look():
            retention = kube.get(place)["spec"]["prometheus"]["retention"]
            expect(retention == "20d", f"retention is {retention}")

        until("The repair", look, seconds=60)
        event.mark("put right after")
        scene.applications.wait_synced("", MONITORING)
        event.mark("Synced")
        scene.ready()
        scene.applications.wait_healthy(MONITORING)
        event.mark("Healthy")
    assert managers_of(event.writes)[f"sergasmonitorings/{NAME}"] == {"hand", ARGOCD}


def test_an_object_deleted_from_the_chart_by_hand_comes_back(from_nothing):
    scene, kube = from_nothing, from_nothing.kube
    with scene.ledger.event("a ServiceMonitor deleted by hand") as event:
        kube.delete(MONITOR)
        until("Its return", lambda: expect(kube.get(MONITOR), "it is missing"), seconds=60)
        event.mark("back after")
        scene.applications.wait_synced("", CHART)
        event.mark("Synced")


def test_a_commit_the_api_server_refuses_fails_the_sync_with_our_sentence_and_a_revert_recovers(from_nothing):
    scene = from_nothing
    before = monitoring.read(scene.kube, MONITORING_NAMESPACE, NAME)["spec"]
    with scene.ledger.event("a commit with a bad spec") as event:
        scene.commit("Keep 30 days, badly written", prometheus=spec()["prometheus"] | {"retention": "30 days"})
        scene.applications.refresh(MONITORING)

        def look():
            operation = scene.applications.read(MONITORING)["status"].get("operationState") or {}
            said = operation.get("message", "")
            results = [item.get("message", "") for item in (operation.get("syncResult") or {}).get("resources") or []]
            expect(any(REFUSED in text for text in (said, *results)), f"the sync says {said} {results}")

        until("The failing sync", look, seconds=60)
        event.mark("refused after")
    assert monitoring.read(scene.kube, MONITORING_NAMESPACE, NAME)["spec"] == before
    revert(scene, "the revert of the bad spec")


def test_a_commit_that_names_a_missing_secret_is_degraded_with_our_sentence_and_a_revert_recovers(from_nothing):
    scene = from_nothing
    oncall = {"name": "oncall", "pagerduty": {"routingKeySecretRef": {"name": "pagerduty", "key": "routing-key"}}}
    with scene.ledger.event("a commit with a missing Secret") as event:
        revision = scene.commit("Page someone", prometheus=LONG, receivers=[SLACK, oncall])
        scene.applications.refresh(MONITORING)
        scene.applications.wait_synced(revision, MONITORING)
        event.mark("Synced")

        def look():
            scene.applications.health(MONITORING, "Degraded")
            seen = scene.applications.resource(MONITORING, "SergasMonitoring")["health"]
            expect(seen["status"] == "Degraded", f"it is {seen}")
            return seen["message"]

        assert until("Degraded", look, seconds=90) == MISSING
        event.mark("Degraded after")
    revert(scene, "the revert of the missing Secret")


def revert(scene, name):
    """`git revert`, and wait until all is well again."""
    with scene.ledger.event(name) as event:
        revision = scene.user.revert()
        scene.applications.refresh(MONITORING)
        scene.applications.wait_synced(revision, MONITORING)
        event.mark("Synced")
        scene.ready()
        scene.applications.wait_healthy(MONITORING)
        event.mark("Healthy")


def test_a_receiver_taken_out_of_git_is_taken_out_of_alertmanager(from_nothing):
    scene = from_nothing

    def look():
        [server] = prometheus.alertmanagers(scene.kube, MONITORING_NAMESPACE, NAME) or [None]
        runs = prometheus.loaded_config(server) if server else "name: hook"
        expect("name: hook" not in runs, f"Alertmanager runs {runs}")

    changed(scene, "a commit removes a receiver", "Only Slack", look, prometheus=LONG)


def test_an_object_taken_out_of_the_chart_is_pruned(from_nothing):
    scene = from_nothing
    place = path("monitoring.coreos.com/v1", MONITORING_NAMESPACE, "servicemonitors", "sergas-app-agents")
    assert scene.kube.get(place)
    with scene.ledger.event("a value that leaves an object out") as event:
        application = scene.applications.read(CHART)
        values = application["spec"]["source"]["helm"]["valuesObject"]
        app = {"serviceMonitors": {"agents": {"enabled": False}}}
        patch = {"spec": {"source": {"helm": {"valuesObject": values | {"app": app}}}}}
        scene.kube.patch(where(CHART), patch)
        until("The end of the object", lambda: expect(not scene.kube.get(place), "it is still there"), seconds=60)
        event.mark("pruned after")
        scene.applications.wait_synced("", CHART)
        event.mark("Synced")
