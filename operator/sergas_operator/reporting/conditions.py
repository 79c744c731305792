"""Derives the status conditions from what was observed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sergas_operator.desired.receivers import HEARTBEAT
from sergas_operator.desired.recipients import digest_receivers
from sergas_operator.model import names
from sergas_operator.model.quantity import to_bytes
from sergas_operator.model.spec import Monitoring
from sergas_operator.observed.state import Volume
from sergas_operator.reporting import rollout
from sergas_operator.reporting.observed import Observed
from sergas_operator.reporting.volumes import requested_size, volumes_in_use

State = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Condition:
    """One condition, without its time."""

    type: str
    status: State
    reason: str
    message: str


def conditions(monitoring: Monitoring, observed: Observed) -> list[Condition]:
    """Return every condition of `monitoring`, Ready first."""
    parts = [
        prometheus_available(monitoring, observed),
        alertmanager_available(monitoring, observed),
        config_loaded(monitoring, observed),
        receivers_ready(observed),
        digest_available(monitoring, observed),
        storage_ready(monitoring, observed),
    ]
    progress = progressing(monitoring, observed)
    return [ready(parts, progress, observed), *parts, progress]


def ready(parts: Sequence[Condition], progress: Condition, observed: Observed) -> Condition:
    """Ready: the worst of its parts. It is True only when the newest generation runs."""
    if observed.problem:
        return Condition("Ready", "False", observed.problem.reason, str(observed.problem))
    for status in ("False", "Unknown"):
        for part in parts:
            if part.status == status:
                return Condition("Ready", part.status, part.reason, part.message)
    if progress.reason != "Converged":
        return Condition("Ready", "False", progress.reason, progress.message)
    for part in parts:
        if part.reason == "NoReceivers":
            return Condition("Ready", "True", part.reason, part.message)
    return Condition(
        "Ready", "True", "AllGood", "Metrics are stored, alerts are routed and every receiver can be notified."
    )


def prometheus_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every Prometheus replica is ready, scrapes, and has discovered Alertmanagers."""
    kind, evidence = "PrometheusAvailable", observed.evidence
    refused = rollout.reconciled(observed.prometheus)
    if refused.get("status") == "False":
        message = (
            f"The Prometheus Operator cannot reconcile Prometheus {_name(monitoring)}: {refused.get('message', '')}"
        )
        return Condition(kind, "False", "NotReconciled", message)
    replicas = monitoring.spec.prometheus.replicas
    found = _available(kind, "Prometheus", monitoring, observed.prometheus, replicas)
    if found.status != "True":
        return found
    if evidence.endpoints.get(names.PROMETHEUS) == 0:
        return _no_endpoints(kind, monitoring, names.prometheus_service(monitoring.name))
    if evidence.discovered == 0 and rollout.available(observed.alertmanager):
        message = (
            f"Prometheus {_name(monitoring)} has discovered no Alertmanager, so no alert is notified: check the "
            f"endpoints of Service {names.alertmanager_service(monitoring.name)}."
        )
        return Condition(kind, "False", "AlertmanagersNotDiscovered", message)
    if evidence.targets == 0 and evidence.monitors:
        message = (
            f"Prometheus {_name(monitoring)} scrapes no target although ServiceMonitors exist: check "
            f"spec.prometheus.discovery and the labels of the ServiceMonitors."
        )
        return Condition(kind, "False", "NoTargets", message)
    return found


def alertmanager_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every Alertmanager replica is ready. ConfigLoaded reports a refused configuration."""
    kind, replicas = "AlertmanagerAvailable", monitoring.spec.alertmanager.replicas
    found = _available(kind, "Alertmanager", monitoring, observed.alertmanager, replicas)
    if found.status == "True" and observed.evidence.endpoints.get(names.ALERTMANAGER) == 0:
        return _no_endpoints(kind, monitoring, names.alertmanager_service(monitoring.name))
    return found


def config_loaded(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every ready Alertmanager runs the configuration last written."""
    kind = "ConfigLoaded"
    if observed.alertmanager is None:
        return _not_created(kind, "Alertmanager", monitoring)
    refused = rollout.reconciled(observed.alertmanager)
    if refused.get("status") == "False":
        words = refused.get("message", "").rstrip(".")
        message = f"{words}. Alertmanager keeps the configuration it loaded last; correct the spec."
        return Condition(kind, "False", "ConfigRefused", message)
    loaded = observed.evidence.loaded
    if not loaded:
        message = "No Alertmanager pod is ready yet, so none can be asked for its configuration."
        return Condition(kind, "Unknown", "NotAsked", message)
    if None in loaded:
        message = (
            f"{loaded.count(None)} of {len(loaded)} ready Alertmanager pods did not answer on port 9093: "
            f"check that a NetworkPolicy lets the operator connect to them."
        )
        return Condition(kind, "Unknown", "CannotAsk", message)
    current = loaded.count(observed.config_hash)
    if current == len(loaded):
        return Condition(kind, "True", "Loaded", f"Every replica runs configuration {observed.config_hash}.")
    message = f"{current} of {len(loaded)} replicas run configuration {observed.config_hash}; the others will load it."
    return Condition(kind, "False", "Loading", message)


def receivers_ready(observed: Observed) -> Condition:
    """Whether every receiver can be notified as the spec says."""
    kind = "ReceiversReady"
    problems = [problem for receiver in observed.receivers for problem in receiver.problems]
    if not problems and all(receiver.receiver.name == HEARTBEAT for receiver in observed.receivers):
        message = "No notifications are sent: configure a receiver in spec.receivers."
        return Condition(kind, "True", "NoReceivers", message)
    if not problems:
        return Condition(kind, "True", "ReceiversReady", f"All {len(observed.receivers)} receivers can be notified.")
    if not all(receiver.secret_found for receiver in observed.receivers):
        reason = "SecretNotUsable"
    elif any(receiver.disabled for receiver in observed.receivers):
        reason = "ReceiverInvalid"
    else:
        reason = "TemplateInvalid"
    return Condition(kind, "False", reason, " ".join(f"{problem}." for problem in problems))


def digest_available(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether info alerts are stored for the digest."""
    kind, receivers = "DigestAvailable", digest_receivers(monitoring.spec)
    if not receivers:
        message = "No email receiver gets info alerts, so no digest is needed."
        return Condition(kind, "True", "NotNeeded", message)
    if observed.digest is None:
        name = f"StatefulSet {monitoring.namespace}/{names.digest(monitoring.name)}"
        return Condition(kind, "False", "NotCreated", f"{name} does not exist{_why(monitoring)}.")
    if not rollout.available(observed.digest):
        selector = f"{names.NAME}={names.DIGEST},{names.INSTANCE}={monitoring.name}"
        message = (
            f"The digest does not run, and the next mail may lack info alerts that begin and end now: type "
            f"`kubectl -n {monitoring.namespace} get pods -l {selector}`."
        )
        return Condition(kind, "False", "DigestNotReady", message)
    who = ", ".join(receiver.name for receiver in receivers)
    message = f"Info alerts are stored and mailed every {monitoring.spec.routing.info.digest} to {who}."
    return Condition(kind, "True", "DigestReady", message)


def storage_ready(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether every replica's volume has the size that the spec asks for."""
    kind, volumes = "StorageReady", volumes_in_use(monitoring.spec, observed.volumes)
    if not volumes:
        return Condition(kind, "Unknown", "NoVolumes", "No volume has been claimed yet.")
    pending = [volume for volume in volumes if not volume.actual]
    if pending:
        command = f"kubectl -n {monitoring.namespace} describe pvc {pending[0].claim}"
        message = f"{len(pending)} of {len(volumes)} volumes are not bound: type `{command}` to see why."
        return Condition(kind, "False", "VolumesPending", message)
    small = [volume for volume in volumes if volume.bytes < to_bytes(requested_size(monitoring.spec, volume))]
    if not small:
        message = f"All {len(volumes)} volumes have the requested size.{_larger(monitoring, volumes)}"
        return Condition(kind, "True", "VolumesReady", message)
    first, size = small[0], requested_size(monitoring.spec, small[0])
    patch = f'{{"spec":{{"resources":{{"requests":{{"storage":"{size}"}}}}}}}}'
    command = f"kubectl -n {monitoring.namespace} patch pvc {first.claim} -p '{patch}'"
    others = f" Do the same for {', '.join(volume.claim for volume in small[1:])}." if small[1:] else ""
    message = (
        f"Volume {first.claim} holds {first.actual}, less than the requested {size}, and is not resized "
        f"automatically: type `{command}` if its StorageClass allows expansion.{others}"
    )
    return Condition(kind, "False", "VolumesTooSmall", message)


def progressing(monitoring: Monitoring, observed: Observed) -> Condition:
    """Whether the children are still being brought to what the spec says."""
    kind = "Progressing"
    if observed.problem:
        return Condition(kind, "False", observed.problem.reason, str(observed.problem))
    if monitoring.spec.paused:
        message = f"spec.paused is true: the children are not changed until it is false.{_policy(monitoring, observed)}"
        return Condition(kind, "False", "Paused", message)
    if monitoring.spec.mode == "Plan":
        message = (
            f"spec.mode is Plan: status.plannedChanges lists {len(observed.changes)} changes, which mode Apply would "
            f"make.{_policy(monitoring, observed)}"
        )
        return Condition(kind, "False", "Planned", message)
    waiting = rollout.rolling_out(monitoring, observed)
    if waiting:
        message = f"The Prometheus Operator is rolling out {' and '.join(waiting)}."
        return Condition(kind, "True", "RollingOut", message)
    if config_loaded(monitoring, observed).reason == "Loading":
        return Condition(kind, "True", "LoadingConfig", "The Alertmanagers have not loaded the new configuration yet.")
    return Condition(kind, "False", "Converged", "Everything is as the spec says.")


def _larger(monitoring: Monitoring, volumes: Sequence[Volume]) -> str:
    """A note about volumes that are larger than the spec asks for: they never shrink."""
    found = [volume for volume in volumes if volume.bytes > to_bytes(requested_size(monitoring.spec, volume))]
    if not found:
        return ""
    first, size = found[0], requested_size(monitoring.spec, found[0])
    return f" Volumes never shrink: {first.claim} keeps {first.actual}, more than the requested {size}."


def _policy(monitoring: Monitoring, observed: Observed) -> str:
    """A warning when the wanted deletion policy is not in effect, because the children are not written now."""
    if not observed.deletion_policy or observed.deletion_policy == monitoring.spec.deletion_policy:
        return ""
    return (
        f" deletionPolicy {monitoring.spec.deletion_policy} is not in effect yet: deleting the SergasMonitoring now "
        f"would {'delete' if observed.deletion_policy == 'Delete' else 'keep'} the children."
    )


def _available(
    kind: str, child_kind: str, monitoring: Monitoring, child: Mapping[str, Any] | None, replicas: int
) -> Condition:
    if child is None:
        return _not_created(kind, child_kind, monitoring)
    if "availableReplicas" not in (child.get("status") or {}):
        message = (
            f"{child_kind} {_name(monitoring)} has no status: check that the Prometheus Operator runs and serves the "
            f"namespace {monitoring.namespace}."
        )
        return Condition(kind, "False", "WaitingForPrometheusOperator", message)
    count = rollout.available(child)
    if count >= replicas:
        return Condition(kind, "True", "ReplicasReady", f"{count} of {replicas} {child_kind} replicas are ready.")
    command = f"kubectl -n {monitoring.namespace} get pods -l {child_kind.lower()}={monitoring.name}"
    message = f"{count} of {replicas} {child_kind} replicas are ready: type `{command}`."
    return Condition(kind, "False", "ReplicasNotReady", message)


def _not_created(kind: str, child_kind: str, monitoring: Monitoring) -> Condition:
    message = f"{child_kind} {_name(monitoring)} does not exist{_why(monitoring)}."
    return Condition(kind, "False", "NotCreated", message)


def _no_endpoints(kind: str, monitoring: Monitoring, service: str) -> Condition:
    command = f"kubectl -n {monitoring.namespace} get endpointslices -l kubernetes.io/service-name={service}"
    message = f"Service {monitoring.namespace}/{service} has no ready endpoint: type `{command}`."
    return Condition(kind, "False", "NoEndpoints", message)


def _why(monitoring: Monitoring) -> str:
    if monitoring.spec.mode == "Plan":
        return ": spec.mode is Plan, set it to Apply to create it"
    if monitoring.spec.paused:
        return ": spec.paused is true, set it to false to create it"
    return " yet"


def _name(monitoring: Monitoring) -> str:
    return f"{monitoring.namespace}/{monitoring.name}"
