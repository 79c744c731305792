"""From what was observed to status conditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sergas_operator.errors import OperatorError
from sergas_operator.hearers import digest_receivers
from sergas_operator.quantity import to_bytes
from sergas_operator.receivers import HEARTBEAT, Resolved
from sergas_operator.spec import Monitoring

State = Literal["True", "False", "Unknown"]
# What Ready is made of, worst news first.
PARTS = (
    *("PrometheusAvailable", "AlertmanagerAvailable", "ConfigLoaded", "ReceiversReady", "DigestAvailable"),
    "StorageReady",
)


@dataclass(frozen=True)
class Condition:
    """One condition, without its time."""

    type: str
    status: State
    reason: str
    message: str


@dataclass(frozen=True)
class Volume:
    """A replica's PersistentVolumeClaim. Sizes are quantities; `actual` is empty while there is no volume."""

    claim: str
    part: Literal["prometheus", "alertmanager", "digest"]
    requested: str
    actual: str


@dataclass(frozen=True)
class Change:
    """A write to a child, done or only planned. `fields` names what differs and is empty when the child is
    new.
    """

    action: Literal["Create", "Update"]
    kind: str
    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed:
    """What one pass saw.

    Attributes:
        prometheus: the Prometheus custom resource as it is, None when there is none.
        alertmanager: the Alertmanager custom resource as it is.
        digest: the digest's StatefulSet as it is.
        receivers: the receivers with their values looked up.
        volumes: the replicas' volumes.
        applied_hash: hash of the configuration in the config Secret; empty when there is none of ours.
        loaded_hashes: per Alertmanager pod the hash it runs, None for a pod that did not answer.
        changes: what was written, or would be in mode Plan.
        problem: what stopped the pass, if anything did.
    """

    prometheus: Mapping[str, Any] | None = None
    alertmanager: Mapping[str, Any] | None = None
    digest: Mapping[str, Any] | None = None
    receivers: Sequence[Resolved] = ()
    volumes: Sequence[Volume] = ()
    applied_hash: str = ""
    loaded_hashes: Sequence[str | None] = ()
    changes: Sequence[Change] = ()
    problem: OperatorError | None = None


def conditions(monitoring: Monitoring, observed: Observed) -> list[Condition]:
    """Every condition of `monitoring`, Ready first."""
    parts = [
        prometheus_available(monitoring, observed),
        alertmanager_available(monitoring, observed),
        config_loaded(monitoring, observed),
        receivers_ready(observed),
        digest_available(monitoring, observed),
        storage_ready(monitoring, observed),
    ]
    return [ready(parts, observed.problem), *parts, progressing(monitoring, observed)]


def ready(parts: Sequence[Condition], problem: OperatorError | None) -> Condition:
    """Ready: the worst of its parts, in their words."""
    if problem:
        return Condition("Ready", "False", problem.reason, str(problem))
    for status in ("False", "Unknown"):
        for part in parts:
            if part.status == status:
                return Condition("Ready", part.status, part.reason, part.message)
    for part in parts:
        if part.reason == "NoReceivers":
            return Condition("Ready", "True", part.reason, part.message)
    return Condition(
        "Ready", "True", "AllGood", "Metrics are stored, alerts are routed and every receiver can be notified."
    )


def prometheus_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every Prometheus replica is ready."""
    refused = _condition(observed.prometheus, "Reconciled")
    if refused.get("status") == "False":
        message = f"The Prometheus Operator cannot make Prometheus {_name(monitoring)} so: {refused.get('message', '')}"
        return Condition("PrometheusAvailable", "False", "NotReconciled", message)
    replicas = monitoring.spec.prometheus.replicas
    return _available("PrometheusAvailable", "Prometheus", monitoring, observed.prometheus, replicas)


def alertmanager_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every Alertmanager replica is ready. A refused configuration is ConfigLoaded's news."""
    replicas = monitoring.spec.alertmanager.replicas
    return _available("AlertmanagerAvailable", "Alertmanager", monitoring, observed.alertmanager, replicas)


def _available(
    kind: str, child_kind: str, monitoring: Monitoring, child: Mapping[str, Any] | None, replicas: int
) -> Condition:
    if child is None:
        return Condition(
            kind, "False", "NotCreated", f"{child_kind} {_name(monitoring)} does not exist{_why(monitoring)}."
        )
    if "availableReplicas" not in (child.get("status") or {}):
        message = (
            f"{child_kind} {_name(monitoring)} has no status: check that the Prometheus Operator runs and serves the "
            f"namespace {monitoring.namespace}."
        )
        return Condition(kind, "False", "WaitingForPrometheusOperator", message)
    count = available(child)
    if count >= replicas:
        return Condition(kind, "True", "ReplicasReady", f"{count} of {replicas} {child_kind} replicas are ready.")
    look = f"kubectl -n {monitoring.namespace} get pods -l {child_kind.lower()}={monitoring.name}"
    return Condition(
        kind, "False", "ReplicasNotReady", f"{count} of {replicas} {child_kind} replicas are ready: type `{look}`."
    )


def _why(monitoring: Monitoring) -> str:
    if monitoring.spec.mode == "Plan":
        return ": spec.mode is Plan, set it to Apply to have it made"
    if monitoring.spec.paused:
        return ": spec.paused is true, set it to false to have it made"
    return " yet"


def config_loaded(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every Alertmanager replica runs the configuration last written."""
    if observed.alertmanager is None:
        message = f"Alertmanager {_name(monitoring)} does not exist{_why(monitoring)}."
        return Condition("ConfigLoaded", "False", "NotCreated", message)
    if config_refused(observed):
        refused = _condition(observed.alertmanager, "Reconciled")
        words = refused.get("message", "").rstrip(".")
        message = f"{words}. Alertmanager keeps the configuration it loaded last; correct the spec."
        return Condition("ConfigLoaded", "False", "ConfigRefused", message)
    hashes = observed.loaded_hashes
    if not hashes:
        message = "No Alertmanager pod has an address yet, so none can be asked what it runs."
        return Condition("ConfigLoaded", "Unknown", "NotAsked", message)
    current = sum(found == observed.applied_hash for found in hashes)
    if current == len(hashes):
        return Condition("ConfigLoaded", "True", "Loaded", f"Every replica runs configuration {observed.applied_hash}.")
    if None in hashes:
        message = (
            f"{sum(found is None for found in hashes)} of {len(hashes)} Alertmanager pods did not answer on port 9093: "
            f"check that a NetworkPolicy lets the operator connect to them."
        )
        return Condition("ConfigLoaded", "Unknown", "CannotAsk", message)
    message = (
        f"{current} of {len(hashes)} replicas run configuration {observed.applied_hash}; "
        f"the others are about to load it."
    )
    return Condition("ConfigLoaded", "False", "Loading", message)


def config_refused(observed: Observed) -> bool:
    """Whether prometheus-operator, which parses the configuration first, has refused it."""
    return _condition(observed.alertmanager, "Reconciled").get("status") == "False"


def receivers_ready(observed: Observed) -> Condition:
    """Whether every receiver can be notified as the spec says."""
    problems = [problem for receiver in observed.receivers for problem in receiver.problems]
    if not problems and all(receiver.receiver.name == HEARTBEAT for receiver in observed.receivers):
        message = "No alert reaches anyone: name someone in spec.receivers."
        return Condition("ReceiversReady", "True", "NoReceivers", message)
    if not problems:
        return Condition(
            "ReceiversReady", "True", "ReceiversReady", f"All {len(observed.receivers)} receivers can be notified."
        )
    reason = "TemplateInvalid" if all(receiver.secret_found for receiver in observed.receivers) else "SecretNotUsable"
    return Condition("ReceiversReady", "False", reason, " ".join(f"{problem}." for problem in problems))


def digest_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether info alerts are collected for those who get them by mail."""
    receivers = digest_receivers(monitoring.spec)
    if not receivers:
        message = "No mail receiver hears of info alerts, so no digest is needed."
        return Condition("DigestAvailable", "True", "NotNeeded", message)
    if observed.digest is None:
        message = f"StatefulSet {_name(monitoring)}-digest does not exist{_why(monitoring)}."
        return Condition("DigestAvailable", "False", "NotCreated", message)
    if not available(observed.digest):
        selector = f"app.kubernetes.io/name=digest,app.kubernetes.io/instance={monitoring.name}"
        message = (
            f"The digest does not run, and info alerts that begin and end now may be missing from it: type "
            f"`kubectl -n {monitoring.namespace} get pods -l {selector}`."
        )
        return Condition("DigestAvailable", "False", "DigestNotReady", message)
    who = ", ".join(receiver.name for receiver in receivers)
    message = f"Info alerts are collected and mailed every {monitoring.spec.routing.info.digest} to {who}."
    return Condition("DigestAvailable", "True", "DigestReady", message)


def storage_ready(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every replica's volume has the size the spec asks for."""
    if not observed.volumes:
        return Condition("StorageReady", "Unknown", "NoVolumes", "No volume has been claimed yet.")
    pending = [volume for volume in observed.volumes if not volume.actual]
    if pending:
        look = f"kubectl -n {monitoring.namespace} describe pvc {pending[0].claim}"
        message = f"{len(pending)} of {len(observed.volumes)} volumes do not exist yet: type `{look}` to see why."
        return Condition("StorageReady", "False", "VolumesPending", message)
    small = [volume for volume in observed.volumes if to_bytes(volume.actual) < to_bytes(volume.requested)]
    if small:
        return Condition("StorageReady", "False", "VolumesTooSmall", _grow(monitoring, small))
    return Condition(
        "StorageReady", "True", "VolumesReady", f"All {len(observed.volumes)} volumes have the size asked for."
    )


def _grow(monitoring: Monitoring, small: Sequence[Volume]) -> str:
    first = small[0]
    patch = f'{{"spec":{{"resources":{{"requests":{{"storage":"{first.requested}"}}}}}}}}'
    command = f"kubectl -n {monitoring.namespace} patch pvc {first.claim} -p '{patch}'"
    others = f" The same goes for {', '.join(volume.claim for volume in small[1:])}." if small[1:] else ""
    return (
        f"Volume {first.claim} holds {first.actual}, less than the {first.requested} asked for, "
        f"and does not grow by itself: "
        f"type `{command}` if its StorageClass allows expansion.{others}"
    )


def progressing(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether the children are still on their way to what the spec says."""
    if observed.problem:
        return Condition("Progressing", "False", observed.problem.reason, str(observed.problem))
    if monitoring.spec.paused:
        message = "spec.paused is true: the children are left as they are until it is set to false."
        return Condition("Progressing", "False", "Paused", message)
    if monitoring.spec.mode == "Plan":
        count = len(observed.changes)
        message = (
            f"spec.mode is Plan: {count} changes are listed in status.plannedChanges, set it to Apply to make them."
        )
        return Condition("Progressing", "False", "Planned", message)
    waiting = [
        kind
        for kind, child, replicas in (
            ("Prometheus", observed.prometheus, monitoring.spec.prometheus.replicas),
            ("Alertmanager", observed.alertmanager, monitoring.spec.alertmanager.replicas),
        )
        if not settled(child, replicas)
    ]
    if waiting:
        message = f"The Prometheus Operator is bringing {' and '.join(waiting)} to what the spec says."
        return Condition("Progressing", "True", "RollingOut", message)
    if config_loaded(monitoring, observed).reason == "Loading":
        message = "The Alertmanagers are about to load their new configuration."
        return Condition("Progressing", "True", "LoadingConfig", message)
    return Condition("Progressing", "False", "Converged", "Everything is as the spec says.")


def settled(child: Mapping[str, Any] | None, replicas: int) -> bool:
    """Whether prometheus-operator has acted on the child's newest generation and every pod runs it and is ready."""
    if child is None:
        return False
    status = child.get("status") or {}
    seen = _condition(child, "Reconciled").get("observedGeneration", 0)
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return bool(seen >= child["metadata"].get("generation", 0)) and counts == {replicas}


def available(child: Mapping[str, Any] | None) -> int:
    """Ready replicas, as prometheus-operator counted them."""
    return int(((child or {}).get("status") or {}).get("availableReplicas", 0))


def _condition(child: Mapping[str, Any] | None, kind: str) -> Mapping[str, Any]:
    listed = ((child or {}).get("status") or {}).get("conditions") or []
    return next((condition for condition in listed if condition.get("type") == kind), {})


def _name(monitoring: Monitoring) -> str:
    return f"{monitoring.namespace}/{monitoring.name}"
