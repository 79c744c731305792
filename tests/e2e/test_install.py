"""The chart's life: dry run, install, upgrade, uninstall, and what is left."""

import pytest
import stacks
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import Kube, path
from sergas_demo.waiting import expect, until

NAMESPACE = stacks.INSTALL
RELEASE, NAME = "life", "life"
WHERE = ("--namespace", NAMESPACE)
SPEC = stacks.small(prometheus=stacks.small()["prometheus"] | {"storage": {"size": "1Gi"}, "retention": "5d"})
VALUES = {
    "sergasMonitoring.create": True,
    "sergasMonitoring.name": NAME,
    "sergasMonitoring.spec": SPEC,
    "prometheus.rbac.create": True,
}


def namespaced(kube: Kube) -> set[str]:
    """Everything in the namespace but Events, pods on their way out, and what Kubernetes puts into each namespace."""
    every = kube.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = [kind for kind in every if kind.partition(".")[0] not in ("events", "endpoints", "pods")]
    found = kube.kubectl("get", ",".join(kinds), *WHERE, "-o", "name", "--ignore-not-found").split()
    return {*found} - {"serviceaccount/default", "configmap/kube-root-ca.crt"}


def cluster_wide(kube: Kube) -> set[str]:
    """Cluster-scoped objects of the release."""
    api = "rbac.authorization.k8s.io/v1"
    selector = f"app.kubernetes.io/instance={RELEASE}"
    return {
        f"{plural}/{item['metadata']['name']}"
        for plural in ("clusterroles", "clusterrolebindings")
        for item in kube.items(path(api, "", plural), labelSelector=selector)
    }


@pytest.fixture(scope="module")
def arguments(install_arguments):
    """Helm's arguments for the release, with values of one's own over the module's."""
    return lambda **values: [RELEASE, *WHERE, *install_arguments(**(VALUES | values))]


@pytest.fixture(scope="module")
def installed(suite, kube, arguments):
    """The release installed, its SergasMonitoring ready."""
    kube.helm("install", *arguments())
    suite.ready(NAMESPACE, NAME)
    return suite


def test_a_dry_run_on_the_server_accepts_the_chart_and_leaves_nothing(suite, kube, arguments):
    rendered = kube.helm("install", "--dry-run=server", *arguments())
    assert "STATUS: pending-install" in rendered
    assert namespaced(kube) == set()
    assert cluster_wide(kube) == set()


def test_an_install_makes_a_stack_that_is_ready(installed, kube):
    found = monitoring.read(kube, NAMESPACE, NAME)
    assert (found["status"]["prometheus"]["ready"], found["status"]["alertmanager"]["ready"]) == ("1/1", "1/1")
    assert kube.helm("test", RELEASE, *WHERE, "--timeout", "60s").count("Succeeded") == 1


def test_an_upgrade_with_changed_values_reaches_the_running_pods_and_the_rules(installed, kube, arguments):
    before = kube.get(path("apps/v1", NAMESPACE, "deployments", "life-operator"))["metadata"]["generation"]
    longer = SPEC | {"prometheus": SPEC["prometheus"] | {"retention": "6d"}}
    changed = {"sergasMonitoring.spec": longer, "alerts.HighErrorRate": {"threshold": 0.5, "for": "2m"}}
    kube.helm("upgrade", *arguments(**changed))

    def look() -> None:
        [server] = prometheus.servers(kube, NAMESPACE, NAME) or [None]
        runs = prometheus.flag(server, "storage.tsdb.retention.time") if server else "nothing"
        expect(runs == "6d", f"Prometheus runs with {runs}")
        groups = server.json("/api/v1/rules", type="alert")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"] if rule["name"] == "HighErrorRate"]
        expect(rules and rules[0]["duration"] == 120, f"the rule is {rules}")
        expect("> 0.5" in rules[0]["query"], f"the rule is {rules[0]['query']}")

    until("The upgrade in the running Prometheus", look, seconds=150)
    installed.ready(NAMESPACE, NAME)
    after = kube.get(path("apps/v1", NAMESPACE, "deployments", "life-operator"))["metadata"]["generation"]
    assert after == before, "the operator was rolled though nothing of it changed"


def test_an_uninstall_leaves_the_volumes_that_were_to_be_kept_and_nothing_else(installed, kube):
    kube.helm("uninstall", RELEASE, *WHERE, "--wait")

    def look() -> None:
        left = namespaced(kube)
        expect(
            left == {"persistentvolumeclaim/prometheus-life-db-prometheus-life-0"}, f"left: {', '.join(sorted(left))}"
        )

    until("The end of all but the volume", look, seconds=60)
    assert cluster_wide(kube) == set()
    assert kube.get(
        path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", "sergasmonitorings.monitoring.sergas.com")
    )
