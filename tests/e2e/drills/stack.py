"""A release of the chart with a SergasMonitoring, receivers and their far end, and the rooms it watches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sergas_demo import cleanup, manifests, monitoring, ownership, prometheus
from sergas_demo.install import rolled_out
from sergas_demo.kube import Kube, Object, Web, path
from sergas_demo.sink import Sink
from sergas_demo.waiting import expect, until

from drills import receivers
from drills.rooms import COMPONENTS, Application, Room, application

NAME = "main"
MADE_BY = {"app.kubernetes.io/managed-by": "sergas-e2e"}
START_SECONDS = 240


@dataclass(frozen=True)
class Plan:
    """What is to be installed.

    Attributes:
        namespace: Of the release, the SergasMonitoring and the far end.
        rooms: What it watches.
        values: The chart's values beyond those that every stack of drills has: overrides of alerts above all.
        far_ends: Namespaces that get a far end of their own, for receivers whose far end is to break.
        exporters: Namespace of the exporters it watches, none where empty.
        alertmanagers: How many.
        spec: Fields of the SergasMonitoring beyond those that every stack of drills has.
    """

    namespace: str
    rooms: tuple[Room, ...]
    values: Mapping[str, object]
    far_ends: tuple[str, ...] = ()
    exporters: str = ""
    alertmanagers: int = 1
    spec: Callable[[], Object] = dict

    @property
    def namespaces(self) -> list[str]:
        """All that it makes."""
        return [self.namespace, *self.far_ends, *(room.namespace for room in self.rooms)]


@dataclass(frozen=True)
class Stack:
    """What was installed."""

    kube: Kube
    plan: Plan

    @property
    def namespace(self) -> str:
        """Of the release, the SergasMonitoring and the far end."""
        return self.plan.namespace

    @property
    def sink(self) -> Sink:
        """The far end of all receivers."""
        return Sink(self.kube, self.namespace)

    def server(self) -> Web:
        """Its Prometheus.

        Raises:
            NotYet: It has none.
        """
        found = prometheus.servers(self.kube, self.namespace, NAME)
        expect(found, "there is no Prometheus")
        return found[0]

    def application(self, namespace: str, component: str) -> Application:
        """A part of the application in a room."""
        return application(self.kube, namespace, component)


def far_end(namespace: str) -> str:
    """The host of the far end in a namespace."""
    return f"sink.{namespace}.svc"


def install(kube: Kube, plan: Plan, images: Mapping[str, str], arguments: Callable[..., list[str]]) -> Stack:
    """Install everything, and wait until all of it runs and is watched.

    Args:
        kube: The cluster.
        plan: What to install.
        images: References of the project's images.
        arguments: Makes Helm's arguments for a release of the chart with values of one's own.
    """
    make_namespaces(kube, plan)
    login = {"username": receivers.USER, "password": receivers.PASSWORD}
    for namespace in (plan.namespace, *plan.far_ends):
        kube.apply(manifests.secret(namespace, "sink-login", login), *manifests.far_end(images["sink"], namespace))
    values = receivers.secret_values(far_end(plan.namespace))
    secret = manifests.secret(plan.namespace, receivers.SECRET, values)
    kube.apply(secret, *(item for room in plan.rooms for item in room.objects(images["app"])))
    kube.helm("upgrade", "--install", "drill", "--namespace", plan.namespace, *arguments(**_values(plan)))
    stack = Stack(kube, plan)
    until("Readiness of the stack", lambda: monitoring.settled(kube, plan.namespace, NAME), seconds=START_SECONDS)
    until("The start of all rooms", lambda: _all_started(stack), seconds=START_SECONDS)
    until("Sight of all rooms", lambda: _all_watched(stack), seconds=START_SECONDS)
    _write_on(stack)
    return stack


def _write_on(stack: Stack) -> None:
    """Make Prometheus send some samples on: it has metrics of remote write only where there is one.

    The SergasMonitoring is paused for it, because the operator removes what others set in the spec of a child.
    """
    stack.kube.patch(monitoring.where(stack.namespace, NAME), {"spec": {"paused": True}})
    until("The pause", lambda: monitoring.current(stack.kube, stack.namespace, NAME), seconds=30)
    where = path("monitoring.coreos.com/v1", stack.namespace, "prometheuses", NAME)
    little = [{"sourceLabels": ["__name__"], "regex": "up", "action": "keep"}]
    remote = {"url": f"http://{far_end(stack.namespace)}:8080/api/v1/write", "writeRelabelConfigs": little}
    stack.kube.patch(where, {"spec": {"remoteWrite": [remote]}})


def make_namespaces(kube: Kube, plan: Plan) -> None:
    """Make all its namespaces; for what must be there before the rest."""
    ownership.create_namespaces(kube, [_namespace(name) for name in plan.namespaces], ownership.E2E)


def remove(kube: Kube, plan: Plan) -> None:
    """Take everything away; the namespaces may still be emptied when it returns."""
    there = ownership.owned_namespaces(kube, plan.namespaces, ownership.E2E)
    if plan.namespace in there:
        kube.helm("uninstall", "drill", "--namespace", plan.namespace, "--ignore-not-found")
    cleanup.stop_stacks(kube, there)
    for name in there:
        kube.delete(path("v1", "", "namespaces", name))


def gone(kube: Kube, plan: Plan) -> None:
    """Raise NotYet while one of its namespaces, or that of its exporters, is still there."""
    every = [*plan.namespaces, *filter(None, [plan.exporters])]
    left = ownership.owned_namespaces(kube, every, ownership.E2E)
    expect(not left, f"{', '.join(left)} still being emptied")


def _namespace(name: str) -> Object:
    labels = MADE_BY | {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _values(plan: Plan) -> dict[str, object]:
    """The chart's values. Scrapes are quicker than by default, so that windows can be shorter."""
    scraped = {"interval": "5s", "scrapeTimeout": "3s"}
    every: dict[str, object] = {
        "operator.allowedPagerDutyURLs": [receivers.pagerduty_url(far_end(plan.namespace))],
        "sergasMonitoring.create": True,
        "sergasMonitoring.name": NAME,
        "sergasMonitoring.spec": _spec(plan),
        "app.namespaces": [room.namespace for room in plan.rooms],
        **{f"app.serviceMonitors.{component}": scraped for component in COMPONENTS},
        **{f"{part}.serviceMonitor.interval": "5s" for part in ("operator", "prometheus", "alertmanager")},
        "dashboards.enabled": False,
    }
    if plan.exporters:
        # The chart scrapes the kubelet, and the packaged cluster has no other part of Kubernetes that answers to it.
        every |= {"kubernetesMonitors.create": "Always", "kube-prometheus-stack.kubeApiServer.enabled": False}
    return every | dict(plan.values)


def _spec(plan: Plan) -> Object:
    volume = {"size": "1Gi", "whenDeleted": "Delete"}
    resources = {"requests": {"cpu": "5m", "memory": "32Mi"}}
    mine: Object = {
        "environment": "drill",
        "prometheus": {
            "replicas": 1,
            "storage": volume,
            "resources": resources,
            # One drill has a monitor that names a file.
            "discovery": {"scope": "OwnNamespace", "allowFileAccess": True},
        },
        "alertmanager": {"replicas": plan.alertmanagers, "storage": volume, "resources": resources},
        "receivers": receivers.receivers(far_end(plan.namespace)),
        "routing": receivers.ROUTING,
        "heartbeat": receivers.heartbeat(),
    }
    more = plan.spec()
    return mine | more | {"receivers": [*mine["receivers"], *more.get("receivers", ())]}


def _all_started(stack: Stack) -> None:
    waiting = [
        f"{namespace}/{item['metadata']['name']}"
        for namespace in stack.plan.namespaces
        for item in stack.kube.items(path("apps/v1", namespace, "deployments"))
        if not rolled_out(item)
    ]
    expect(not waiting, f"waiting for {', '.join(waiting)}")


def _all_watched(stack: Stack) -> None:
    server = stack.server()
    known, wanted = prometheus.alertmanagers_known(server), stack.plan.alertmanagers
    expect(known == wanted, f"Prometheus knows {known} of {wanted} Alertmanagers")
    seen = {row["metric"]["namespace"] for row in prometheus.query(server, 'up{job=~"sergas-(api|agents)"} == 1')}
    missing = {room.namespace for room in stack.plan.rooms} - seen
    expect(not missing, f"Prometheus sees nothing in {', '.join(sorted(missing))}")
