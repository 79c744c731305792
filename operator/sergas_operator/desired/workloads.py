"""Fields that the Prometheus and Alertmanager custom resources share: pods, volumes, scheduling."""

from __future__ import annotations

from typing import Any

from sergas_operator.desired.inputs import Claim, Inputs
from sergas_operator.model import names
from sergas_operator.model.spec import Monitoring, Scheduling, Storage
from sergas_operator.settings import Settings

# The images run as any user; a fixed group makes the files readable on every node. The numbers are those of
# prometheus-operator's examples, so that volumes of an earlier installation stay readable.
IDS = {"runAsUser": 1000, "runAsGroup": 2000, "fsGroup": 2000}


def security_context(settings: Settings, ids: dict[str, int]) -> dict[str, Any]:
    """The security context of a pod, with these IDs unless the cluster assigns them."""
    shared = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return shared | (ids if settings.assign_ids else {})


def pod_fields(inputs: Inputs, part: str, scheduling: Scheduling, resources: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Prometheus or Alertmanager spec that shape its pods. Empty ones are left out."""
    optional = {
        "affinity": _affinity(inputs.monitoring, part, scheduling),
        "nodeSelector": scheduling.node_selector,
        "tolerations": list(scheduling.tolerations),
        "priorityClassName": scheduling.priority_class_name,
        "resources": resources,
    }
    return {
        "portName": names.PORT_NAME,
        "securityContext": security_context(inputs.settings, IDS),
        **{name: value for name, value in optional.items() if value},
    }


def volume_fields(monitoring: Monitoring, part: str, storage: Storage, claim: Claim) -> dict[str, Any]:
    """The fields of a Prometheus or Alertmanager spec that shape its volumes."""
    template = {"metadata": {"labels": names.volume_labels(monitoring.name, part)}, "spec": claim_spec(claim)}
    return {
        "storage": {"volumeClaimTemplate": template},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": storage.when_deleted, "whenScaled": "Retain"},
    }


def claim_of(inputs: Inputs, part: str, storage: Storage) -> Claim:
    """Return the claim template of the StatefulSet that runs, or what the spec asks for when there is none."""
    return inputs.claims.get(part) or Claim(storage.size, storage.storage_class_name)


def claim_spec(claim: Claim) -> dict[str, Any]:
    """The spec of a PersistentVolumeClaim."""
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": claim.size}}}
    return spec | ({"storageClassName": claim.storage_class_name} if claim.storage_class_name else {})


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
