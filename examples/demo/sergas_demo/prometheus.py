"""What the Prometheus and Alertmanager pods of a stack say of themselves."""

from typing import Any

from sergas_demo.kube import Kube, Object, Web, path
from sergas_demo.waiting import expect

PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093


def pods(kube: Kube, namespace: str, name: str, app: str) -> list[Object]:
    """The running pods of one server (`prometheus` or `alertmanager`) of the stack `name`, by name."""
    selector = f"app.kubernetes.io/name={app},{app}={name}"
    found = kube.items(path("v1", namespace, "pods"), labelSelector=selector)
    return sorted((pod for pod in found if not terminating(pod)), key=lambda pod: str(pod["metadata"]["name"]))


def terminating(found: Object) -> bool:
    """Whether an object is on its way out."""
    return "deletionTimestamp" in found["metadata"]


def ready(pod: Object) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = pod["status"].get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def servers(kube: Kube, namespace: str, name: str) -> list[Web]:
    """HTTP to each Prometheus pod of a stack."""
    found = pods(kube, namespace, name, "prometheus")
    return [kube.pod(namespace, pod["metadata"]["name"], PROMETHEUS_PORT) for pod in found]


def alertmanagers(kube: Kube, namespace: str, name: str) -> list[Web]:
    """HTTP to each Alertmanager pod of a stack."""
    found = pods(kube, namespace, name, "alertmanager")
    return [kube.pod(namespace, pod["metadata"]["name"], ALERTMANAGER_PORT) for pod in found]


def all_ready(kube: Kube, namespace: str, name: str, app: str, count: int) -> list[Object]:
    """The pods of a server, once exactly `count` of them run and are ready."""
    found = pods(kube, namespace, name, app)
    steady = sum(ready(pod) for pod in found)
    expect(len(found) == count == steady, f"{steady} of {count} {app} pods are ready, {len(found)} exist")
    return found


def query(server: Web, expression: str) -> list[dict[str, Any]]:
    """The result vector of a query."""
    result: list[dict[str, Any]] = server.json("/api/v1/query", query=expression)["data"]["result"]
    return result


def value(server: Web, expression: str) -> float | None:
    """The one value of a query; None when it has no result."""
    result = query(server, expression)
    return float(result[0]["value"][1]) if result else None


def retention(server: Web) -> list[str]:
    """How long and how many bytes the running process keeps, such as ["3d", "500MiB"]."""
    return str(server.json("/api/v1/status/runtimeinfo")["data"]["storageRetention"]).split(" or ")


def targets_up(server: Web, job: str) -> int:
    """How many targets of a job are scraped."""
    found = server.json("/api/v1/targets", state="active")["data"]["activeTargets"]
    return sum(target["labels"].get("job") == job and target["health"] == "up" for target in found)


def alertmanagers_known(server: Web) -> int:
    """How many Alertmanagers a Prometheus sends to.

    An alert that fires before they are discovered is only sent again after a minute, so look before firing one.
    """
    return len(server.json("/api/v1/alertmanagers")["data"]["activeAlertmanagers"])


def rule_state(server: Web, alert: str) -> str:
    """`inactive`, `pending` or `firing`; `missing` where the rule is not loaded."""
    groups = server.json("/api/v1/rules", type="alert")["data"]["groups"]
    states = [rule["state"] for group in groups for rule in group["rules"] if rule["name"] == alert]
    return next((state for state in ("firing", "pending", "inactive") if state in states), "missing")


def loaded_config(alertmanager: Web) -> str:
    """The configuration an Alertmanager runs, with secrets left out, as it reports it."""
    return str(alertmanager.json("/api/v2/status")["config"]["original"])
