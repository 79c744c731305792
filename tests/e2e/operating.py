"""The operator under test: its pods, and how far it has come."""

import re
import time

import stacks
from sergas_demo import prometheus
from sergas_demo.kube import Kube, Object, path
from sergas_demo.waiting import expect, until

METRICS_PORT = 8080
DEPLOYMENT = path("apps/v1", stacks.OPERATOR_NAMESPACE, "deployments", stacks.DEPLOYMENT)


def pods(kube: Kube) -> list[Object]:
    """The operator's pods, those on their way out included."""
    selector = f"app.kubernetes.io/instance={stacks.RELEASE},app.kubernetes.io/component=operator"
    return kube.items(path("v1", stacks.OPERATOR_NAMESPACE, "pods"), labelSelector=selector)


def ready_pod(kube: Kube) -> Object:
    """The one pod of the operator, once it is ready and no other is left."""
    found = pods(kube)
    expect(len(found) == 1 and prometheus.ready(found[0]), f"{len(found)} operator pods, not one that is ready")
    return found[0]


def metric(kube: Kube, sample: str) -> float:
    """A sample of the operator's /metrics, such as `sergas_operator_monitorings`."""
    pod = ready_pod(kube)["metadata"]["name"]
    text = kube.pod(stacks.OPERATOR_NAMESPACE, pod, METRICS_PORT).text("/metrics")
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    expect(found, f"the operator has no metric {sample} yet")
    return float(found.group(1)) if found else 0.0


def wait_for_resyncs(kube: Kube, count: int) -> None:
    """Wait until the operator has gone over every SergasMonitoring so many times by its own clock."""
    passes = 'sergas_operator_reconcile_total{result="success"}'
    started, before = time.monotonic(), until("A metric", lambda: metric(kube, passes), seconds=60)

    def look() -> None:
        wanted = before + count * metric(kube, "sergas_operator_monitorings")
        done = metric(kube, passes)
        expect(done >= wanted, f"{done - before:.0f} of {wanted - before:.0f} passes are done")
        # Changes elsewhere cause passes too; in this much time a resync has reached every object.
        expect(time.monotonic() - started > count * stacks.RESYNC_SECONDS, "the resync period is not over")

    until(f"{count} resyncs", look, seconds=60 + count * stacks.RESYNC_SECONDS)
