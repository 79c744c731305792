"""What a person would look at first when a step fails, gathered in one place."""

from collections.abc import Iterator, Sequence

import httpx

from sergas_demo import prometheus
from sergas_demo.kube import CommandError, Kube, Object, path
from sergas_demo.monitoring import where

LOG_LINES = 15
EVENTS = 6


def diagnose(kube: Kube, name: str, namespaces: Sequence[str], operator: str) -> Iterator[str]:
    """Yield lines: conditions that do not hold, pods that are not ready, warnings, the end of the operator's log.

    Args:
        kube: The cluster.
        name: The SergasMonitoring's name.
        namespaces: Where to look; the SergasMonitoring is in the first.
        operator: The operator's Deployment as `<namespace>/<name>`.
    """
    try:
        yield from _conditions(kube.get(where(namespaces[0], name)))
        for namespace in namespaces:
            yield from _pods(kube, namespace)
            yield from _warnings(kube, namespace)
        yield from _log(kube, *operator.split("/"))
    except (httpx.HTTPError, CommandError) as error:
        yield f"the cluster does not answer: {error}"


def _conditions(found: Object | None) -> Iterator[str]:
    for item in ((found or {}).get("status") or {}).get("conditions") or []:
        if item["status"] != "True" and item["type"] != "Progressing":
            yield f"condition {item['type']}={item['status']} {item['reason']}: {item['message']}"


def _pods(kube: Kube, namespace: str) -> Iterator[str]:
    for pod in kube.items(path("v1", namespace, "pods")):
        if not prometheus.ready(pod) and pod["status"].get("phase") != "Succeeded":
            yield f"pod {namespace}/{pod['metadata']['name']} is not ready: {_why(pod)}"


def _why(pod: Object) -> str:
    status = pod["status"]
    states = [item.get("state", {}).get("waiting", {}) for item in status.get("containerStatuses") or []]
    reasons = [f"{state['reason']} {state.get('message', '')}".strip() for state in states if state.get("reason")]
    unmet = [
        item["message"] for item in status.get("conditions") or [] if item["status"] != "True" and "message" in item
    ]
    return "; ".join(reasons + unmet) or str(status.get("phase", ""))


def _warnings(kube: Kube, namespace: str) -> Iterator[str]:
    events = kube.items(path("v1", namespace, "events"), fieldSelector="type=Warning")
    for event in sorted(events, key=lambda item: str(item["metadata"]["creationTimestamp"]))[-EVENTS:]:
        about = event["involvedObject"]
        yield f"event {event['reason']} on {about['kind']} {about.get('name', '')}: {event.get('message', '')}"


def _log(kube: Kube, namespace: str, deployment: str) -> Iterator[str]:
    yield f"the operator's last {LOG_LINES} lines:"
    log = kube.kubectl("--namespace", namespace, "logs", f"deployment/{deployment}", "--tail=500")
    # At level DEBUG kopf tells of every event it hands over.
    told = [line for line in log.splitlines() if '"kopf.objects"' not in line]
    yield from (f"  {line}" for line in told[-LOG_LINES:])
