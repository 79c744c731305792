"""The exporters, PostgreSQL and Redis of tests/e2e/exporters, in a namespace that a stack of drills watches."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from sergas_demo import ownership, prometheus
from sergas_demo.kube import Kube, Object, path
from sergas_demo.waiting import expect, until

from drills.stack import MADE_BY, Stack

MANIFESTS = Path(__file__).parents[1] / "exporters"
STRAINED = Path(__file__).parent / "strained.yaml"
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding"}
WORKLOADS = ("deployments", "statefulsets", "daemonsets")
START_SECONDS = 180
# Elsewhere than on the packaged cluster a volume is a folder on the node's disk, which nobody should fill.
BOUNDED = os.environ.get("CLUSTER", "packaged") == "packaged"
JOBS = frozenset(
    {
        "sergas-prometheus-postgres-exporter",
        "sergas-prometheus-redis-exporter",
        "sergas-prometheus-blackbox-exporter",
        "sergas-prometheus-pushgateway",
        "node-exporter",
        "kube-state-metrics",
        "kubelet",
    }
)


def objects(namespace: str, monitoring: str) -> list[Object]:
    """Everything of tests/e2e/exporters: programs in one namespace, their ServiceMonitors in that of Prometheus."""
    names = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    every = [item for name in names for item in _read(MANIFESTS / name)]
    return [_placed(item, namespace, monitoring) for item in every]


def strained(namespace: str) -> list[Object]:
    """What drills put under strain."""
    return [_placed(item, namespace, namespace) for item in _read(STRAINED)]


def _read(file: Path) -> Iterator[Object]:
    return (item for item in yaml.safe_load_all(file.read_text(encoding="utf-8")) if item)


def _placed(item: Object, namespace: str, monitoring: str) -> Object:
    if item["kind"] == "ServiceMonitor":
        item["metadata"]["namespace"] = monitoring
        item["spec"].setdefault("namespaceSelector", {"matchNames": [namespace]})
    elif item["kind"] in CLUSTER_WIDE:
        # Two modules may have exporters of their own at once.
        item["metadata"]["name"] = f"{namespace}-{item['metadata']['name']}"
        if "roleRef" in item:
            item["roleRef"]["name"] = f"{namespace}-{item['roleRef']['name']}"
    else:
        item["metadata"]["namespace"] = namespace
    for subject in item.get("subjects", ()):
        subject["namespace"] = namespace
    return item


def install(kube: Kube, namespace: str, monitoring: str) -> None:
    """Start them, and what drills put under strain.

    Before the Prometheus that is to watch them: one that runs may take three minutes to hear of a ServiceMonitor, for
    its reloader can miss a change and then looks no sooner. Volumes are of the default StorageClass where the cluster
    has no `bounded` one.
    """
    # node-exporter looks at the node's folders, which no stricter standard lets a pod do.
    labels = MADE_BY | {"pod-security.kubernetes.io/enforce": "privileged"}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    ownership.create_namespaces(kube, [made], ownership.E2E)
    every = [*objects(namespace, monitoring), *strained(namespace)]
    kube.apply(*(every if BOUNDED else map(unbounded, every)))


def unbounded(item: Object) -> Object:
    """The object with its claims of volumes left to the default StorageClass."""
    claims = item["spec"].get("volumeClaimTemplates", ()) if item["kind"] == "StatefulSet" else ()
    for claim in (*claims, *((item,) if item["kind"] == "PersistentVolumeClaim" else ())):
        claim["spec"].pop("storageClassName", None)
    return item


def wait(stack: Stack, namespace: str) -> None:
    """Wait until all of them run and Prometheus has heard of each."""
    until("The start of the exporters", lambda: _all_started(stack.kube, namespace), seconds=START_SECONDS)
    until("Sight of the exporters", lambda: _all_seen(stack), seconds=START_SECONDS)


def _all_started(kube: Kube, namespace: str) -> None:
    every = [item for plural in WORKLOADS for item in kube.items(path("apps/v1", namespace, plural))]
    waiting = [item["metadata"]["name"] for item in every if not _started(item)]
    expect(not waiting, f"waiting for {', '.join(waiting)}")


def _started(workload: Object) -> bool:
    status = workload.get("status") or {}
    ready = status.get("readyReplicas", status.get("numberReady", 0))
    return bool(ready == workload["spec"].get("replicas", status.get("desiredNumberScheduled")))


def _all_seen(stack: Stack) -> None:
    seen = {row["metric"]["job"] for row in prometheus.query(stack.server(), "max by (job) (up) == 1")}
    expect(seen >= JOBS, f"Prometheus does not see {', '.join(sorted(JOBS - seen))}")


def remove(kube: Kube, namespace: str) -> None:
    """Take them away; the namespace may still be emptied when it returns. One of somebody else's is not touched."""
    if not ownership.owned_namespaces(kube, [namespace], ownership.E2E):
        return
    kube.delete(path("v1", "", "namespaces", namespace))
    for item in _cluster_wide(namespace):
        kube.delete(path(item["apiVersion"], "", f"{item['kind'].lower()}s", item["metadata"]["name"]))


def _cluster_wide(namespace: str) -> Iterable[Object]:
    return (item for item in objects(namespace, namespace) if item["kind"] in CLUSTER_WIDE)
