"""Names and labels of the children. Everything derives from the SergasMonitoring's own name."""

from __future__ import annotations

from typing import Any

from sergas_operator.spec import GROUP, KIND, VERSION, Monitoring

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "sergas-operator"
PART_OF = "app.kubernetes.io/part-of"
PRODUCT = "sergas-monitoring"
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
HASH_ANNOTATION = f"{GROUP}/desired-hash"
PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
DIGEST = "digest"
PORT_NAME = "http-web"
PORTS = {PROMETHEUS: 9090, ALERTMANAGER: 9093}


def config_secret(name: str) -> str:
    """The Secret that holds Alertmanager's configuration."""
    return f"{name}-alertmanager-config"


def service(name: str, part: str) -> str:
    """The Service of `prometheus` or `alertmanager`, and its PodDisruptionBudget."""
    return f"{name}-{part}"


def digest(name: str) -> str:
    """The digest's StatefulSet, and its Service."""
    return f"{name}-{DIGEST}"


def children(name: str, *, with_digest: bool) -> tuple[tuple[str, str], ...]:
    """Kinds and names of all children of the SergasMonitoring `name`."""
    return (
        ("Secret", config_secret(name)),
        ("Alertmanager", name),
        ("Prometheus", name),
        *(("Service", service(name, part)) for part in PORTS),
        *(("PodDisruptionBudget", service(name, part)) for part in PORTS),
        *(((kind, digest(name)) for kind in ("StatefulSet", "Service")) if with_digest else ()),
    )


def labels(monitoring: Monitoring, part: str) -> dict[str, str]:
    """Labels of a child. None comes from the SergasMonitoring: GitOps tools prune what carries their
    tracking label.
    """
    return {
        NAME: part,
        INSTANCE: monitoring.name,
        MANAGED_BY: MANAGER,
        PART_OF: PRODUCT,
    }


def volume_labels(instance: str, part: str | None = None) -> dict[str, str]:
    """Labels of the replicas' volume claims. Who manages them the StatefulSet overwrites with its own."""
    result = {INSTANCE: instance, PART_OF: PRODUCT}
    return result | {NAME: part} if part else result


def pods(monitoring: Monitoring, part: str) -> dict[str, str]:
    """Labels that select the pods prometheus-operator makes for one of our custom resources, and no
    other's.
    """
    return {NAME: part, part: monitoring.name}


def metadata(monitoring: Monitoring, name: str, part: str) -> dict[str, Any]:
    """Metadata of a child; with deletionPolicy Retain it has no owner, so that it outlives the
    SergasMonitoring.
    """
    result: dict[str, Any] = {
        "name": name,
        "namespace": monitoring.namespace,
        "labels": labels(monitoring, part),
    }
    if monitoring.spec.deletion_policy == "Delete":
        result["ownerReferences"] = [_owner(monitoring)]
    return result


def _owner(monitoring: Monitoring) -> dict[str, Any]:
    # No blockOwnerDeletion: setting it needs a right on the owner's finalizers, and no deletion should ever
    # wait for us.
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": monitoring.name,
        "uid": monitoring.uid,
        "controller": True,
    }
