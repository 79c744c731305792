"""One idempotent pass over one SergasMonitoring: say what should exist, make it so, report what is.

Running it again changes nothing: an unchanged cluster costs no write.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sergas_operator import names
from sergas_operator.cluster import Cluster
from sergas_operator.compare import differences
from sergas_operator.conditions import Change, Observed, Volume, config_refused
from sergas_operator.desired import children, configuration
from sergas_operator.desired.alertmanager_config import CONFIG_KEY, MARKER, loaded_hash
from sergas_operator.desired.digest import VOLUME
from sergas_operator.errors import NameTakenError, OperatorError
from sergas_operator.hearers import digest_receivers
from sergas_operator.receivers import Resolved, referenced_secrets, resolve
from sergas_operator.settings import Settings
from sergas_operator.spec import Monitoring, Spec, read
from sergas_operator.status import status

Body = Mapping[str, Any]

# A configuration that is about to be loaded is asked for again soon: prometheus-operator and the kubelet
# need some seconds.
LOADING_SECONDS = 2.0
UNREACHABLE_SECONDS = 30.0
# Conditions no Event is posted about. Ready repeats its parts, and Progressing's ups and downs are the
# changes already told.
QUIET = {"Ready"}
EXPECTED = {
    "NotCreated",
    "WaitingForPrometheusOperator",
    "ReplicasNotReady",
    "DigestNotReady",
    "NotNeeded",
    "NotAsked",
    "Loading",
    "NoVolumes",
    "VolumesPending",
    "RollingOut",
    "LoadingConfig",
    "Converged",
    "Planned",
}
_MARKED = re.compile(rf"name: {MARKER}([0-9a-f]+)")


@dataclass(frozen=True)
class Outcome:
    """What a pass did.

    Attributes:
        changes: what was written to children.
        look_again: seconds after which to look again though no watch will tell, None when there is no need.
        problem: what stopped the pass; it has been reported in the status, and the pass is to be tried again.
    """

    changes: tuple[Change, ...] = ()
    look_again: float | None = None
    problem: OperatorError | None = None


def secrets_of(body: Body) -> frozenset[str]:
    """Names of the Secrets the receivers of a SergasMonitoring refer to; a change to one calls for another pass."""
    try:
        return referenced_secrets(read(body))
    except OperatorError:
        # The pass itself will say what is wrong with the spec.
        return frozenset()


async def reconcile(body: Body, cluster: Cluster, settings: Settings, *, live: bool = False) -> Outcome:
    """One pass over the SergasMonitoring `body`.

    Args:
        body: the object as last seen.
        cluster: where to read and write.
        settings: the operator's.
        live: whether to ask the API server for what the watches keep known, to find what they missed.

    Raises:
        ApiError: the status could not be read or written. Every other error is reported in the status and
        returned.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        monitoring = read(body)
    except OperatorError as error:
        return await _not_understood(body, cluster, error, now)
    # A digest that is not needed is asked for only where there may be one: every pass would pay for the question.
    with_digest = bool(digest_receivers(monitoring.spec)) or live or _had_digest(body.get("status") or {})
    observed = await _converge(monitoring, cluster, settings, with_digest=with_digest, live=live)
    observed = await _look(monitoring, cluster, observed, body.get("status") or {}, live=live)
    await _report(body, cluster, monitoring, observed, now)
    done = tuple(observed.changes) if monitoring.spec.mode == "Apply" else ()
    return Outcome(done, _look_again(observed), observed.problem)


def _had_digest(previous: Body) -> bool:
    """Whether the status speaks of a digest."""
    conditions = previous.get("conditions") or ()
    return any(found["type"] == "DigestAvailable" and found["reason"] != "NotNeeded" for found in conditions)


async def _converge(
    monitoring: Monitoring, cluster: Cluster, settings: Settings, *, with_digest: bool, live: bool
) -> Observed:
    receivers: tuple[Resolved, ...] = ()
    changes: list[Change] = []
    try:
        found, secrets = await _read(monitoring, cluster, with_digest=with_digest, live=live)
        receivers = resolve(monitoring, secrets, _last_good(monitoring, found))
        had_digest = ("StatefulSet", names.digest(monitoring.name)) in found
        config = configuration(monitoring, receivers)
        desired = children(monitoring, settings, config, had_digest=had_digest)
        planned = [(child, _change(child, found.get(_key(child)))) for child in desired]
        needed = [(child, change) for child, change in planned if change]
        if monitoring.spec.mode == "Plan":
            changes = [change for _, change in needed]
        elif not monitoring.spec.paused:
            await _write(needed, cluster, changes)
    except OperatorError as error:
        return Observed(receivers=receivers, changes=changes, problem=error)
    return Observed(receivers=receivers, changes=changes)


async def _read(
    monitoring: Monitoring, cluster: Cluster, *, with_digest: bool, live: bool
) -> tuple[dict[tuple[str, str], dict[str, Any]], dict[str, Mapping[str, bytes] | None]]:
    """The children there are, by kind and name, and the Secrets receivers refer to: all asked for at once.

    Raises:
        NameTakenError: another's object has a child's name.
    """
    keys = names.children(monitoring.name, with_digest=with_digest)
    wanted = sorted(referenced_secrets(monitoring))
    existing, secrets = await asyncio.gather(
        asyncio.gather(*(cluster.get(kind, monitoring.namespace, name, live=live) for kind, name in keys)),
        asyncio.gather(*(cluster.secret_data(monitoring.namespace, name, live=live) for name in wanted)),
    )
    found = {key: body for key, body in zip(keys, existing, strict=True) if body is not None}
    for (kind, name), body in found.items():
        if not _ours(body):
            raise NameTakenError(kind, monitoring.namespace, name)
    return found, dict(zip(wanted, secrets, strict=True))


def _last_good(monitoring: Monitoring, found: Mapping[tuple[str, str], Body]) -> dict[str, bytes]:
    config = found.get(("Secret", names.config_secret(monitoring.name)), {})
    return {key: base64.b64decode(value) for key, value in (config.get("data") or {}).items()}


def _key(child: Body) -> tuple[str, str]:
    return child["kind"], child["metadata"]["name"]


async def _write(needed: Sequence[tuple[dict[str, Any], Change]], cluster: Cluster, changes: list[Change]) -> None:
    """Writes children, the config Secret before all others, and notes each in `changes` once it is done."""

    async def write(child: dict[str, Any], change: Change) -> None:
        await cluster.apply(child, created=change.action == "Create")
        changes.append(change)

    secrets = [pair for pair in needed if pair[0]["kind"] == "Secret"]
    others = [pair for pair in needed if pair[0]["kind"] != "Secret"]
    for child, change in secrets:
        await write(child, change)
    # All are tried even when one is refused: a Service nobody may create must not keep Prometheus from its
    # new retention.
    results = await asyncio.gather(*(write(child, change) for child, change in others), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _ours(found: Body) -> bool:
    """Whether this operator made the object; someone may have taken its label away since."""
    metadata = found["metadata"]
    labelled = (metadata.get("labels") or {}).get(names.MANAGED_BY) == names.MANAGER
    return labelled or names.MANAGER in metadata.get("managers", ())


def _change(child: Body, found: Body | None) -> Change | None:
    metadata = child["metadata"]
    if found is None:
        return Change("Create", child["kind"], metadata["name"])
    fields = differences(child, found)
    return Change("Update", child["kind"], metadata["name"], fields) if fields else None


async def _look(
    monitoring: Monitoring, cluster: Cluster, observed: Observed, previous: Body, *, live: bool
) -> Observed:
    """What runs. Children come from the cache, which has what was just written."""
    namespace, name = monitoring.namespace, monitoring.name
    try:
        prometheus, alertmanager, digest, config, claims = await asyncio.gather(
            cluster.get("Prometheus", namespace, name),
            cluster.get("Alertmanager", namespace, name),
            _digest(monitoring, cluster),
            cluster.secret_data(namespace, names.config_secret(name)),
            cluster.volume_claims(namespace, name),
        )
        marked = _MARKED.search((config or {}).get(CONFIG_KEY, b"").decode(errors="replace"))
        applied = marked[1] if marked else ""
        loaded = await _loaded(monitoring, cluster, applied, alertmanager, previous, live=live)
    except OperatorError as error:
        return replace(observed, problem=observed.problem or error)
    return replace(
        observed,
        prometheus=prometheus,
        alertmanager=alertmanager,
        digest=digest,
        volumes=[_volume(monitoring, claim) for claim in claims if _in_use(monitoring, claim)],
        applied_hash=applied,
        loaded_hashes=loaded,
    )


async def _digest(monitoring: Monitoring, cluster: Cluster) -> Body | None:
    if not digest_receivers(monitoring.spec):
        return None
    return await cluster.get("StatefulSet", monitoring.namespace, names.digest(monitoring.name))


async def _loaded(
    monitoring: Monitoring, cluster: Cluster, applied: str, alertmanager: Body | None, previous: Body, *, live: bool
) -> list[str | None]:
    """What each Alertmanager runs. They are asked only while there is a doubt, and at every live pass."""
    if not applied or alertmanager is None:
        return []
    known = (previous.get("config") or {}).get("loadedHash")
    replicas = (alertmanager.get("status") or {}).get("availableReplicas", 0)
    if known == applied and not live and replicas == monitoring.spec.alertmanager.replicas:
        return [applied]
    answers = await cluster.alertmanager_receivers(monitoring.namespace, monitoring.name)
    return [None if answer is None else loaded_hash(answer) for answer in answers]


def _in_use(monitoring: Monitoring, claim: Body) -> bool:
    """Whether one of the wanted replicas has this claim; a replica that is gone leaves its own behind, bound or not."""
    spec = monitoring.spec
    replicas = {
        "prometheus": spec.prometheus.replicas,
        "alertmanager": spec.alertmanager.replicas,
        "digest": 1 if digest_receivers(spec) else 0,
    }[_part(claim)]
    ordinal = str(claim["metadata"]["name"]).rpartition("-")[2]
    return ordinal.isdigit() and int(ordinal) < replicas


def _part(claim: Body) -> Literal["prometheus", "alertmanager", "digest"]:
    label = (claim["metadata"].get("labels") or {}).get(names.NAME)
    if label == names.DIGEST:
        return "digest"
    return "prometheus" if label == names.PROMETHEUS else "alertmanager"


def _volume(monitoring: Monitoring, claim: Body) -> Volume:
    part, capacity = _part(claim), (claim.get("status") or {}).get("capacity") or {}
    spec = monitoring.spec
    asked = {"prometheus": spec.prometheus.storage.size, "alertmanager": spec.alertmanager.storage.size}
    return Volume(claim["metadata"]["name"], part, asked.get(part, VOLUME), capacity.get("storage", ""))


def _look_again(observed: Observed) -> float | None:
    """When to ask the Alertmanagers again. While none runs, or their operator refuses the configuration, a
    watch will tell.
    """
    if not observed.applied_hash or config_refused(observed):
        return None
    if None in observed.loaded_hashes:
        return UNREACHABLE_SECONDS
    waiting = any(found != observed.applied_hash for found in observed.loaded_hashes)
    return LOADING_SECONDS if waiting else None


async def _report(body: Body, cluster: Cluster, monitoring: Monitoring, observed: Observed, now: str) -> None:
    """Writes the status when it changed, and an Event for what changed in it."""
    previous = body.get("status") or {}
    found = status(monitoring, observed, previous, now)
    if found != previous:
        await cluster.apply_status(monitoring.namespace, monitoring.name, found)
    if monitoring.spec.mode == "Apply":
        for action in sorted({change.action for change in observed.changes}):
            await cluster.event(body, "Normal", f"{action}d", _told(action, observed.changes), now)
    await _tell(body, cluster, previous, found, now)


async def _tell(body: Body, cluster: Cluster, previous: Body, found: Body, now: str) -> None:
    """An Event for every condition but Ready whose status or reason changed: the status remembers, so none
    comes twice.
    """
    before = {condition["type"]: condition for condition in previous.get("conditions") or ()}
    for condition in found["conditions"]:
        old = before.get(condition["type"], {})
        same = (old.get("status"), old.get("reason"), old.get("message")) == (
            condition["status"],
            condition["reason"],
            condition["message"],
        )
        if same or condition["type"] in QUIET or condition["reason"] in EXPECTED:
            continue
        kind = "Warning" if condition["status"] == "False" and condition["type"] != "Progressing" else "Normal"
        await cluster.event(body, kind, condition["reason"], condition["message"], now)


def _told(action: str, changes: Sequence[Change]) -> str:
    """One sentence for all writes of a kind: `Updated Prometheus sergas (spec.retention).`"""
    done = sorted(
        f"{change.kind} {change.name}" + (f" ({', '.join(change.fields)})" if change.fields else "")
        for change in changes
        if change.action == action
    )
    return f"{action}d {', '.join(done)}."


async def _not_understood(body: Body, cluster: Cluster, error: OperatorError, now: str) -> Outcome:
    metadata = body["metadata"]
    bare = Monitoring(metadata["name"], metadata["namespace"], metadata["uid"], metadata["generation"], Spec())
    observed = await _look(bare, cluster, Observed(problem=error), body.get("status") or {}, live=False)
    await _report(body, cluster, bare, observed, now)
    return Outcome(problem=error)
