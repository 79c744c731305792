"""Names, labels and annotations of the children. All derive from the SergasMonitoring's own name."""

from __future__ import annotations

from typing import Any

from sergas_operator.model.spec import API_VERSION, GROUP, KIND, Monitoring

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "sergas-operator"
# Of the operator in each namespace that it serves: its Role, its RoleBinding and its Lease. The name is the same for
# every release, so that Helm and Argo CD refuse a second release for the namespace.
OPERATOR = "sergas-operator"
PART_OF = "app.kubernetes.io/part-of"
PRODUCT = "sergas-monitoring"
NAME = "app.kubernetes.io/name"
INSTANCE = "app.kubernetes.io/instance"
# A hash of the desired object: it changes when a field is no longer desired.
HASH_ANNOTATION = f"{GROUP}/desired-hash"
# The hash of the Alertmanager configuration in a config Secret.
CONFIG_HASH_ANNOTATION = f"{GROUP}/config-hash"
# On children that outlive their SergasMonitoring: its namespace, name and uid.
RETAINED_ANNOTATION = f"{GROUP}/retained-by"
# A Secret may be used by receivers only when its owner has set this label to "true".
RECEIVER_LABEL = f"{GROUP}/receiver"
PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
DIGEST = "digest"
PORT_NAME = "http-web"
PORTS = {PROMETHEUS: 9090, ALERTMANAGER: 9093}
# prometheus-operator's name and port of the configuration reloader beside each replica.
RELOADER_PORT_NAME = "reloader-web"
RELOADER_PORT = 8080


def resource(name: str) -> str:
    """The Prometheus and the Alertmanager resource: the SergasMonitoring's own name."""
    return name


def config_secret(name: str) -> str:
    """The Secret that holds Alertmanager's configuration."""
    return f"{name}-alertmanager-config"


def prometheus_service(name: str) -> str:
    """The Service of the Prometheus replicas, and their PodDisruptionBudget."""
    return f"{name}-{PROMETHEUS}"


def alertmanager_service(name: str) -> str:
    """The Service of the Alertmanager replicas, and their PodDisruptionBudget."""
    return f"{name}-{ALERTMANAGER}"


def digest(name: str) -> str:
    """The digest's StatefulSet and its Service."""
    return f"{name}-{DIGEST}"


def stateful_set(name: str, part: str) -> str:
    """The StatefulSet that prometheus-operator makes for `prometheus` or `alertmanager`."""
    return f"{part}-{name}"


def labels(monitoring: Monitoring, part: str) -> dict[str, str]:
    """Labels of a child. None is copied from the SergasMonitoring: GitOps tools prune what carries their labels."""
    return {
        NAME: part,
        INSTANCE: monitoring.name,
        MANAGED_BY: MANAGER,
        PART_OF: PRODUCT,
    }


def volume_labels(instance: str, part: str) -> dict[str, str]:
    """Labels in the volume claim templates. The StatefulSet controller adds its selector's labels to them."""
    return {INSTANCE: instance, PART_OF: PRODUCT, NAME: part}


def pods(monitoring: Monitoring, part: str) -> dict[str, str]:
    """Labels that select the pods of one Prometheus or Alertmanager resource and no others."""
    return {NAME: part, part: monitoring.name}


def retained_by(monitoring: Monitoring) -> str:
    """The value of RETAINED_ANNOTATION."""
    return f"{monitoring.namespace}/{monitoring.name}/{monitoring.uid}"


def metadata(monitoring: Monitoring, name: str, part: str) -> dict[str, Any]:
    """Metadata of a child. With deletionPolicy Retain it has no owner, and an annotation names who retained it."""
    result: dict[str, Any] = {"name": name, "namespace": monitoring.namespace, "labels": labels(monitoring, part)}
    if monitoring.spec.deletion_policy == "Delete":
        return result | {"ownerReferences": [_owner(monitoring)]}
    return result | {"annotations": {RETAINED_ANNOTATION: retained_by(monitoring)}}


def _owner(monitoring: Monitoring) -> dict[str, Any]:
    # No blockOwnerDeletion: setting it needs a right on the owner's finalizers.
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": monitoring.name,
        "uid": monitoring.uid,
        "controller": True,
    }
