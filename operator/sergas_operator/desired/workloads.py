"""What the Prometheus and Alertmanager custom resources have in common: pods, volumes, scheduling."""

from __future__ import annotations

from typing import Any

from sergas_operator import names
from sergas_operator.spec import Monitoring, Scheduling, Storage

# The images run as nobody; a fixed group lets every node's volume plugin hand the files over. The numbers
# are the ones prometheus-operator's own examples use, so that volumes of an earlier installation stay
# readable.
SECURITY_CONTEXT: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 2000,
    "fsGroup": 2000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_fields(
    monitoring: Monitoring, part: str, scheduling: Scheduling, resources: dict[str, Any], storage: Storage
) -> dict[str, Any]:
    """The fields of a Prometheus or Alertmanager spec that shape its pods and volumes. Empty ones are left
    out.
    """
    optional = {
        "affinity": _affinity(monitoring, part, scheduling),
        "nodeSelector": scheduling.node_selector,
        "tolerations": list(scheduling.tolerations),
        "resources": resources,
    }
    return {
        "portName": names.PORT_NAME,
        "securityContext": SECURITY_CONTEXT,
        "storage": {"volumeClaimTemplate": _claim(monitoring, part, storage)},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": storage.when_deleted, "whenScaled": "Retain"},
        **{name: value for name, value in optional.items() if value},
    }


def _claim(monitoring: Monitoring, part: str, storage: Storage) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.storage_class_name:
        spec["storageClassName"] = storage.storage_class_name
    return {"metadata": {"labels": names.volume_labels(monitoring.name, part)}, "spec": spec}


def _affinity(monitoring: Monitoring, part: str, scheduling: Scheduling) -> dict[str, Any]:
    term = {
        "topologyKey": scheduling.topology_key,
        "labelSelector": {"matchLabels": names.pods(monitoring, part)},
    }
    if scheduling.anti_affinity == "Required":
        rule: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    elif scheduling.anti_affinity == "Preferred":
        rule = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    else:
        return {}
    return {"podAntiAffinity": rule}
