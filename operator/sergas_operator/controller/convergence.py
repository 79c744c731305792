"""Brings the children to their desired state."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.fields import differences, foreign_fields
from sergas_operator.cluster.objects import INVALID, Cluster
from sergas_operator.desired.registry import Child
from sergas_operator.errors import ApiError, GarbageCollectionError
from sergas_operator.model import kinds, names
from sergas_operator.model.spec import Monitoring
from sergas_operator.observed.state import State, belongs
from sergas_operator.reporting.observed import Change

# Fields of a StatefulSet that cannot change: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset
IMMUTABLE = ("podManagementPolicy", "serviceName", "selector", "volumeClaimTemplates")


@dataclass
class Memory:
    """What is remembered of one SergasMonitoring between reconciles. Losing it costs a read or a write, no more.

    Attributes:
        uid: of the SergasMonitoring.
        generation: of its spec when a reconcile was last requested.
        secrets: names of the Secrets that its receivers refer to.
        written: the resourceVersion of each child after our last write, by kind and name.
        normalized: per child that the API server stored in another form than it was applied, such as a quantity: the
            hash of what was applied, and what was stored. Applying it again would change nothing.
    """

    uid: str = ""
    generation: int = 0
    secrets: frozenset[str] = frozenset()
    written: dict[tuple[str, str], str] = field(default_factory=dict)
    normalized: dict[Child, tuple[str, str]] = field(default_factory=dict)

    def forget(self, uid: str) -> None:
        """Forget an earlier SergasMonitoring of the same name."""
        self.uid, self.generation, self.secrets = uid, 0, frozenset()
        self.written.clear()
        self.normalized.clear()


@dataclass(frozen=True)
class Step:
    """A write that is needed: create without `live`, delete without `desired`, update otherwise."""

    child: Child
    desired: Mapping[str, Any] | None
    live: Body | None
    change: Change


def plan(
    monitoring: Monitoring,
    desired: Iterable[tuple[Child, dict[str, Any] | None]],
    state: State,
    memory: Memory,
) -> list[Step]:
    """Return the writes that bring the children to their desired state."""
    steps = (_step(monitoring, child, wanted, state.children.get(child), memory) for child, wanted in desired)
    return [step for step in steps if step]


def _step(
    monitoring: Monitoring, child: Child, desired: dict[str, Any] | None, live: Body | None, memory: Memory
) -> Step | None:
    name = child.name(monitoring.name)
    if desired is None:
        if live is None or live["metadata"].get("deletionTimestamp") or not belongs(monitoring, live):
            return None
        return Step(child, None, live, Change("Delete", child.kind.name, name))
    if live is None:
        return Step(child, desired, None, Change("Create", child.kind.name, name))
    fields = differences(desired, live)
    if fields and memory.normalized.get(child) == (_hash(desired), _stored(desired, live)):
        return None
    return Step(child, desired, live, Change("Update", child.kind.name, name, fields)) if fields else None


async def execute(
    steps: Sequence[Step], cluster: Cluster, memory: Memory, done: list[Change]
) -> dict[Child, Body | None]:
    """Make the writes, the config Secret before all others, and return the new state of the written children.

    All are tried even when one is refused: a Service that may not be created must not keep Prometheus from its new
    retention. `done` gets each change that was made.

    Raises:
        ApiError: the first write that was refused.
        GarbageCollectionError: a child is being deleted, and cannot be written before it is gone.
    """
    written: dict[Child, Body | None] = {}

    async def write(step: Step) -> None:
        written[step.child] = await _write(step, cluster, memory)
        done.append(step.change)

    for step in steps:
        if step.child.kind is kinds.SECRET:
            await write(step)
    others = (step for step in steps if step.child.kind is not kinds.SECRET)
    results = await asyncio.gather(*(write(step) for step in others), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return written


async def _write(step: Step, cluster: Cluster, memory: Memory) -> Body | None:
    kind, live, desired = step.child.kind, step.live, step.desired
    if desired is None:
        if live is not None:
            await cluster.delete(kind, live)
        return None
    if live is not None and live["metadata"].get("deletionTimestamp"):
        raise _being_deleted(kind, live)
    try:
        body = await cluster.apply(kind, desired, live, exclusive=bool(live and foreign_fields(live)))
    except ApiError as error:
        if live is None or error.status != INVALID or not _immutable_changed(kind, desired, live):
            raise
        # Its pods keep running, and the new one adopts them. Its deletion event triggers the reconcile that creates it.
        await cluster.delete(kind, live, propagation="Orphan")
        raise _being_deleted(kind, live) from None
    metadata = body["metadata"]
    memory.written[(kind.name, metadata["name"])] = metadata["resourceVersion"]
    memory.normalized.pop(step.child, None)
    if differences(desired, body):
        memory.normalized[step.child] = (_hash(desired), _stored(desired, body))
    return body


def _being_deleted(kind: kinds.Kind, live: Body) -> GarbageCollectionError:
    metadata = live["metadata"]
    return GarbageCollectionError(kind.name, metadata["namespace"], metadata["name"], "is being deleted")


def _hash(desired: Mapping[str, Any]) -> str:
    return str(desired["metadata"]["annotations"][names.HASH_ANNOTATION])


def _stored(desired: Mapping[str, Any], live: Body) -> str:
    """A hash of the content of `live`, of the metadata that is applied, and of the fields that others own."""
    content = {key: value for key, value in live.items() if key not in ("metadata", "status")}
    metadata = {key: live["metadata"].get(key) for key in desired["metadata"]}
    text = json.dumps([content, metadata, foreign_fields(live)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _immutable_changed(kind: kinds.Kind, desired: Mapping[str, Any], live: Body) -> bool:
    if kind is not kinds.STATEFUL_SET:
        return False
    wanted, found = ({name: body["spec"].get(name) for name in IMMUTABLE} for body in (desired, live))
    return bool(differences(wanted, {**found, "metadata": {}}))
