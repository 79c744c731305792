"""The chart's life with Helm 3 and 4: dry run, install, test, upgrade, rollback, uninstall, and what is left."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import stacks
from sergas_demo import monitoring, prometheus
from sergas_demo.kube import Kube, path
from sergas_demo.places import CHECKOUT, environment
from sergas_demo.waiting import expect, until

sys.path.insert(0, str(CHECKOUT))

from charts import stack_names

NAMESPACE = stacks.INSTALL
RELEASE, NAME = "life", "life"
SPEC = stacks.small(prometheus=stacks.small()["prometheus"] | {"storage": {"size": "1Gi"}, "retention": "5d"})
VALUES = {
    "sergasMonitoring.create": True,
    "sergasMonitoring.name": NAME,
    "sergasMonitoring.spec": SPEC,
    "prometheus.rbac.create": True,
}
LONGER = SPEC | {"prometheus": SPEC["prometheus"] | {"retention": "6d"}}
CHANGED = {"sergasMonitoring.spec": LONGER, "alerts.HighErrorRate": {"threshold": 0.5, "for": "2m"}}


@dataclass(frozen=True)
class Life:
    """One release of the chart in a namespace of its own, led by one version of Helm."""

    kube: Kube
    program: str
    namespace: str
    arguments: object

    def helm(self, *arguments: str) -> str:
        """Run this life's Helm on its namespace."""
        return self.kube.helm(*arguments, "--namespace", self.namespace, program=self.program)

    def chart(self, verb: str, *arguments: str, **values: object) -> str:
        """Install or upgrade the chart, with values over the module's."""
        return self.helm(verb, RELEASE, *self.arguments(**(VALUES | values)), *arguments)

    def says(self, *arguments: str) -> tuple[int, str]:
        """How this life's Helm ends, and all that it says, the log of a hook included."""
        command = [self.program, *arguments, "--namespace", self.namespace]
        variables = environment() | {"KUBECONFIG": str(self.kube.kubeconfig)}
        done = subprocess.run(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.returncode, done.stdout

    def running(self) -> tuple[str, str, float]:
        """Retention of the running Prometheus; expression and duration, in seconds, of HighErrorRate in it."""
        [server] = prometheus.servers(self.kube, self.namespace, NAME) or [None]
        expect(server, "no Prometheus runs")
        groups = server.json("/api/v1/rules", type="alert")["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"] if rule["name"] == "HighErrorRate"]
        expect(rules, "the rule is not there")
        return prometheus.retention(server)[0], rules[0]["query"], rules[0]["duration"]

    def operator_generation(self) -> int:
        """How often the operator's Deployment was changed."""
        found = self.kube.get(path("apps/v1", self.namespace, "deployments", f"{RELEASE}-operator"))
        return found["metadata"]["generation"]

    def namespaced(self) -> set[str]:
        """All in the namespace but Events, pods on their way out, and what Kubernetes puts into each namespace."""
        every = self.kube.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        kinds = [kind for kind in every if kind.partition(".")[0] not in ("events", "endpoints", "pods")]
        where = ["--namespace", self.namespace]
        found = self.kube.kubectl("get", ",".join(kinds), *where, "-o", "name", "--ignore-not-found").split()
        return {*found} - {"serviceaccount/default", "configmap/kube-root-ca.crt"}

    def cluster_wide(self) -> set[str]:
        """Cluster-scoped objects of the release; their names begin with its namespace."""
        return {
            f"{plural}/{item['metadata']['name']}"
            for plural in ("clusterroles", "clusterrolebindings")
            for item in self.kube.items(
                path("rbac.authorization.k8s.io/v1", "", plural),
                labelSelector=f"app.kubernetes.io/instance={RELEASE}",
            )
            if item["metadata"]["name"].startswith(f"{self.namespace}-{RELEASE}")
        }


@pytest.fixture(scope="module")
def lives(suite, kube, install_arguments) -> list[Life]:
    """Both versions of Helm. They take each step at the same time, because a step is mostly waiting."""
    return [
        Life(kube, "helm", stacks.INSTALL, install_arguments),
        Life(kube, "helm4", stacks.INSTALL4, install_arguments),
    ]


@pytest.fixture(params=[0, 1], ids=["helm3", "helm4"])
def life(lives, request) -> Life:
    return lives[request.param]


def together(lives, step) -> None:
    with ThreadPoolExecutor(len(lives)) as pool:
        list(pool.map(step, lives))


@pytest.fixture(scope="module")
def dry_runs(lives) -> dict[str, str]:
    """What each says to a dry run on the server. Helm 4 would apply the CRD again, and not take it from its owner."""
    return {life.program: life.chart("install", "--dry-run=server", "--skip-crds") for life in lives}


@pytest.fixture(scope="module")
def installed(dry_runs, lives, suite) -> list[Life]:
    """Both releases installed, their SergasMonitorings ready."""
    together(lives, lambda life: life.chart("install", "--skip-crds"))
    for life in lives:
        suite.ready(life.namespace, NAME)
    return lives


@pytest.fixture(scope="module")
def upgraded(installed, suite) -> dict[str, int]:
    """Both releases upgraded with changed values; the operator's generation before, by program."""
    before = {life.program: life.operator_generation() for life in installed}
    together(installed, lambda life: life.chart("upgrade", **CHANGED))
    return before


@pytest.fixture(scope="module")
def rolled_back(upgraded, installed, suite) -> list[Life]:
    """Both releases back at their first revision."""
    for life in installed:
        until("The upgrade", lambda life=life: expect(life.running()[0] == "6d", "not yet 6d"), seconds=150)
    together(installed, lambda life: life.helm("rollback", RELEASE, "1", "--wait", "--timeout", "3m"))
    return installed


@pytest.fixture(scope="module")
def uninstalled(rolled_back) -> list[Life]:
    """Both releases gone."""
    together(rolled_back, lambda life: life.helm("uninstall", RELEASE, "--wait"))
    return rolled_back


def test_a_dry_run_on_the_server_accepts_the_chart_and_leaves_nothing(dry_runs, life):
    assert "STATUS: pending-install" in dry_runs[life.program]


def test_an_install_makes_a_stack_that_is_ready(installed, life, kube):
    found = monitoring.read(kube, life.namespace, NAME)
    assert (found["status"]["prometheus"]["ready"], found["status"]["alertmanager"]["ready"]) == ("1/1", "1/1")


def test_names_are_those_that_the_stacks_datasources_and_rules_look_for(installed, life, kube):
    for url in stack_names.datasources(NAME, life.namespace):
        service, port = re.fullmatch(rf"http://(\S+)\.{life.namespace}:(\d+)/", url).groups()
        assert kube.service(life.namespace, service, port).text("/-/ready")

    def look() -> None:
        [server] = prometheus.servers(kube, life.namespace, NAME)
        for selector in stack_names.selectors(NAME, life.namespace):
            found = server.json("/api/v1/query", query=f"up{{{selector}}}")["data"]["result"]
            # As with kube-prometheus-stack, a job has a target for the server and one for its reloader.
            expect({series["value"][1] for series in found} == {"1"}, f"up{{{selector}}} is {found}")

    until("A sample under the names that rules select by", look, seconds=90)


def no_pod_stays(life) -> None:
    place = path("v1", life.namespace, "pods", "life-ready")
    until("The end of the test's pod", lambda: expect(life.kube.get(place) is None, "it is there"), seconds=20)


def test_its_test_passes_says_what_it_asked_and_leaves_no_pod(installed, life, kube):
    code, said = life.says("test", RELEASE, "--timeout", "60s")
    assert code == 0, said
    for url in ("life-operator:8081/readyz", "life-prometheus:9090/-/ready", "life-alertmanager:9093/-/ready"):
        assert f"http://{url} ready" in said
    no_pod_stays(life)


def answers(life) -> bool:
    """Whether the operator's Service takes connections from a pod; nodes hear of its change a moment later."""
    ask = "import socket; print(socket.socket().connect_ex(('life-operator', 8081)))"
    where = ("--namespace", life.namespace, "exec", "deployment/life-operator")
    return life.kube.kubectl(*where, "--", "python", "-c", ask).strip() == "0"


def test_its_test_fails_says_what_is_not_ready_and_leaves_no_pod(installed, life, kube):
    service = path("v1", life.namespace, "services", "life-operator")
    kube.patch(service, {"spec": {"selector": {"app.kubernetes.io/component": "nobody"}}})
    try:
        until("The end of the Service's answers", lambda: expect(not answers(life), "it answers"), seconds=30)
        code, said = life.says("test", RELEASE, "--timeout", "5s")
    finally:
        kube.patch(service, {"spec": {"selector": {"app.kubernetes.io/component": "operator"}}})
    assert code == 1
    assert "http://life-operator:8081/readyz not ready yet: " in said
    no_pod_stays(life)


def test_an_upgrade_with_changed_values_reaches_the_running_pods_and_the_rules(upgraded, life, suite):
    def look() -> None:
        retention, query, duration = life.running()
        expect((retention, duration) == ("6d", 120), f"Prometheus runs with {retention}, the rule waits {duration} s")
        expect("> 0.5" in query, f"the rule is {query}")

    until("The upgrade in the running Prometheus", look, seconds=150)
    suite.ready(life.namespace, NAME)
    assert life.operator_generation() == upgraded[life.program], "the operator was rolled though nothing of it changed"


def test_a_rollback_brings_the_first_values_back_to_the_running_pods_and_the_rules(rolled_back, life, suite):
    def look() -> None:
        retention, query, duration = life.running()
        expect((retention, duration) == ("5d", 300), f"Prometheus runs with {retention}, the rule waits {duration} s")
        expect("> 0.05" in query, f"the rule is {query}")

    until("The rollback in the running Prometheus", look, seconds=150)
    suite.ready(life.namespace, NAME)


def test_an_uninstall_leaves_the_volumes_that_were_to_be_kept_and_nothing_else(uninstalled, life, kube):
    kept = {"persistentvolumeclaim/prometheus-life-db-prometheus-life-0"}

    def look() -> None:
        left = life.namespaced()
        expect(left == kept, f"left: {', '.join(sorted(left))}")

    until("The end of all but the volume", look, seconds=60)
    assert life.cluster_wide() == set()
    assert kube.get(
        path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", "sergasmonitorings.monitoring.sergas.com")
    )
