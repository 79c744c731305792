"""What every test works on: the cluster, Argo CD, the repositories, and what a user wrote."""

import os
from dataclasses import dataclass

import applications
import foreign
import pytest
import stacks
from applications import Applications, manifest
from installation import ArgoCD
from ledger import Ledger
from repositories import Repository
from sergas_demo import cleanup, manifests, monitoring, prometheus
from sergas_demo.install import rolled_out
from sergas_demo.kube import Kube, Object, condition, path
from sergas_demo.waiting import expect, until

MONITORING_NAMESPACE = "monitoring"
NAME = "sergas"
CRD = path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", "sergasmonitorings.monitoring.sergas.com")
DEPLOYMENT = path("apps/v1", MONITORING_NAMESPACE, "deployments", "sergas-operator")
SLACK = {"name": "slack", "slack": {"channel": "#ops", "urlSecretRef": stacks.ref("slack", "url")}}
HOOK = {"name": "hook", "webhook": {"urlSecretRef": stacks.ref("hook", "url")}}
SECRETS = {"slack": stacks.SLACK_URL, "hook": stacks.HOOK_URL}
# What belongs to objects of somebody else (foreign.py), and the Service that all Prometheus of a namespace share.
GUESTS = (foreign.NAME, f"prometheus-{foreign.NAME}", "prometheus-operated")
RESYNC_SECONDS = 10
MANAGER = "sergas-operator"
METRICS_PORT = 8080


@dataclass(frozen=True)
class Scene:
    """Argo CD beside a cluster, and the two repositories it reads."""

    kube: Kube
    argocd: ArgoCD
    product: Repository
    user: Repository
    ledger: Ledger
    images: dict[str, str]

    @property
    def applications(self) -> Applications:
        return Applications(self.kube)

    def shipped(self) -> list[Object]:
        """The product's AppProject and Applications, with the image that is loaded into the cluster."""
        return applications.shipped(self.kube, self.product, self.user, self.values())

    def values(self) -> Object:
        """What the chart needs beside what is shipped: the image that is here, and frequent passes."""
        repository, _, tag = self.images["operator"].rpartition(":")
        registry, _, name = repository.partition("/")
        image = {"registry": registry, "repository": name, "tag": tag}
        return {"operator": {"image": image, "resyncSeconds": RESYNC_SECONDS}}

    def commit(self, message: str, **changes: object) -> str:
        """Commit the SergasMonitoring with changed fields of its spec; the revision."""
        self.user.write("monitoring/sergas.yaml", manifest(NAME, spec() | changes))
        return self.user.commit(message)

    def secrets(self) -> None:
        """What no repository holds: the receivers' addresses, made by hand or by a secret store."""
        place = path("v1", "", "namespaces", MONITORING_NAMESPACE)
        until("The namespace", lambda: expect(self.kube.get(place), "it is missing"), seconds=90)
        items = [manifests.secret(MONITORING_NAMESPACE, name, {"url": url}) for name, url in SECRETS.items()]
        self.kube.apply(*items, arguments=["--field-manager=user"])

    def ready(self, seconds: float = 150) -> Object:
        """The SergasMonitoring, once it is Ready and nothing is on its way."""

        def look() -> Object:
            return monitoring.settled(self.kube, MONITORING_NAMESPACE, NAME)

        return until("Readiness of the SergasMonitoring", look, seconds=seconds)

    def condition(self, kind: str) -> Object:
        """A condition of the SergasMonitoring."""
        return condition(monitoring.read(self.kube, MONITORING_NAMESPACE, NAME), kind)

    def passes(self) -> float:
        """How many passes the operator has made over its SergasMonitorings."""
        selector = "app.kubernetes.io/instance=sergas,app.kubernetes.io/component=operator"
        found = self.kube.items(path("v1", MONITORING_NAMESPACE, "pods"), labelSelector=selector)
        expect(len(found) == 1 and prometheus.ready(found[0]), f"{len(found)} operator pods, not one that is ready")
        text = self.kube.pod(MONITORING_NAMESPACE, found[0]["metadata"]["name"], METRICS_PORT).text("/metrics")
        [line] = [line for line in text.splitlines() if line.startswith('sergas_operator_reconcile_total{result="su')]
        return float(line.split()[-1])

    def operator_runs(self) -> None:
        """Return when the operator's Deployment is rolled out."""

        def look() -> None:
            found = self.kube.get(DEPLOYMENT)
            expect(found and rolled_out(found), "the operator is not ready")

        until("The operator", look, seconds=90)

    def left(self) -> set[str]:
        """What is in the namespace beyond what each one has, and what the test itself put there."""
        every = self.kube.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        kinds = [kind for kind in every if kind.partition(".")[0] not in ("events", "endpoints", "pods")]
        where = ("--namespace", MONITORING_NAMESPACE)
        found = self.kube.kubectl("get", ",".join(kinds), *where, "-o", "name", "--ignore-not-found").split()
        ours = {"serviceaccount/default", "configmap/kube-root-ca.crt", *(f"secret/{name}" for name in SECRETS)}
        return {name for name in found if name not in ours and not name.partition("/")[2].startswith(GUESTS)}


def spec() -> Object:
    """A small stack with one receiver."""
    wanted = stacks.small(receivers=[SLACK], routing={"critical": {"receivers": ["slack"]}})
    wanted["prometheus"]["retention"] = "15d"
    return wanted


def clear(kube: Kube) -> None:
    """Leave nothing of Applications, namespace and, if nobody else uses it, CRD.

    Leaves the test run when the cluster is in other hands.
    """
    if os.environ.get("CLUSTER") == "existing":
        pytest.exit("CLUSTER=existing is your own cluster; Argo CD is tried with CLUSTER=packaged or kind", 2)
    namespace = kube.get(path("v1", "", "namespaces", MONITORING_NAMESPACE))
    for name in (applications.ROOT, *reversed(applications.ALL)):
        place = applications.where(name)
        if kube.get(place):
            kube.patch(place, {"metadata": {"finalizers": None}})
            kube.delete(place)
    if namespace:
        cleanup.stop_stacks(kube, [MONITORING_NAMESPACE])
        kube.delete(path("v1", "", "namespaces", MONITORING_NAMESPACE))
        until("The end of the namespace monitoring", lambda: namespace_gone(kube), seconds=120)
    for plural in ("clusterroles", "clusterrolebindings"):
        kube.delete(path("rbac.authorization.k8s.io/v1", "", plural, "monitoring-sergas-prometheus"))
    if not kube.items(path(monitoring.API, "", monitoring.PLURAL)):
        kube.delete(CRD)
        until("The end of the CRD", lambda: expect(not kube.get(CRD), "it is being emptied"), seconds=60)


def namespace_gone(kube: Kube) -> None:
    """Return when the namespace is gone.

    Raises:
        NotYet: while it is not.
    """
    expect(not kube.get(path("v1", "", "namespaces", MONITORING_NAMESPACE)), "it is being emptied")
