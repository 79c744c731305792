"""What exists of one SergasMonitoring, read from the API server at one moment."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass

from sergas_operator.cluster.api_server import Body
from sergas_operator.cluster.objects import Cluster
from sergas_operator.desired.inputs import Claim
from sergas_operator.desired.receivers import NOT_ALLOWED, Secrets
from sergas_operator.desired.registry import CHILDREN, Child
from sergas_operator.errors import GarbageCollectionError, NameTakenError, SpecError
from sergas_operator.model import kinds, names
from sergas_operator.model.quantity import to_bytes
from sergas_operator.model.spec import KIND, Monitoring

PARTS = (names.PROMETHEUS, names.ALERTMANAGER)


@dataclass(frozen=True)
class Volume:
    """A replica's PersistentVolumeClaim. `actual` is its capacity as a quantity, empty while it is not bound."""

    claim: str
    part: str
    ordinal: int
    actual: str

    @property
    def bytes(self) -> int:
        """The capacity in bytes; 0 while it is not bound, and when what a provisioner reported is no size."""
        try:
            return to_bytes(self.actual)
        except SpecError:
            return 0


@dataclass(frozen=True)
class State:
    """The objects of one SergasMonitoring.

    Attributes:
        body: the SergasMonitoring.
        children: the existing children, by their entry in the registry.
        stateful_sets: the StatefulSets of prometheus-operator, by part.
        volumes: the volume claims of the replicas, also of replicas that are gone.
    """

    body: Body
    children: Mapping[Child, Body]
    stateful_sets: Mapping[str, Body]
    volumes: tuple[Volume, ...]

    def child(self, kind: kinds.Kind, name: str) -> Body | None:
        """The existing child of a kind and name."""
        found = (body for child, body in self.children.items() if child.kind is kind)
        return next((body for body in found if body["metadata"]["name"] == name), None)

    def claims(self) -> dict[str, Claim]:
        """The volume claim templates of the StatefulSets that run."""
        sets = {**self.stateful_sets, names.DIGEST: self.child(kinds.STATEFUL_SET, names.digest(self.name))}
        found = {part: _claim(body) for part, body in sets.items() if body}
        return {part: claim for part, claim in found.items() if claim}

    def smallest_volume(self, part: str, replicas: int) -> int | None:
        """Bytes of the smallest bound volume of the replicas; None while none is bound."""
        sizes = (volume.bytes for volume in self.volumes if volume.part == part and volume.ordinal < replicas)
        return min((size for size in sizes if size), default=None)

    @property
    def name(self) -> str:
        """The SergasMonitoring's name."""
        return str(self.body["metadata"]["name"])


async def read_state(cluster: Cluster, namespace: str, name: str) -> State | None:
    """Read everything at once; None when the SergasMonitoring does not exist or is being deleted."""
    body, children, sets, volumes = await asyncio.gather(
        cluster.get(kinds.SERGAS_MONITORING, namespace, name),
        asyncio.gather(*(cluster.get(child.kind, namespace, child.name(name)) for child in CHILDREN)),
        asyncio.gather(*(cluster.get(kinds.STATEFUL_SET, namespace, names.stateful_set(name, part)) for part in PARTS)),
        _volumes(cluster, namespace, name),
    )
    if body is None or body["metadata"].get("deletionTimestamp"):
        return None
    return State(
        body,
        {child: found for child, found in zip(CHILDREN, children, strict=True) if found},
        {part: found for part, found in zip(PARTS, sets, strict=True) if found},
        volumes,
    )


async def read_secrets(cluster: Cluster, namespace: str, wanted: frozenset[str]) -> Secrets:
    """Read the Secrets that receivers refer to."""
    order = sorted(wanted)
    found = await asyncio.gather(*(cluster.get(kinds.SECRET, namespace, name) for name in order))
    return {name: _secret_data(body) for name, body in zip(order, found, strict=True)}


def check_ownership(monitoring: Monitoring, state: State) -> None:
    """Raise when an object with a wanted child's name does not belong to this SergasMonitoring.

    A child belongs to it by the owner's uid, or by the annotation on a child that a SergasMonitoring of this name
    retained.

    Raises:
        NameTakenError: the object is somebody else's.
        GarbageCollectionError: its owner is a deleted SergasMonitoring of this name.
    """
    for child, body in state.children.items():
        if not child.is_wanted(monitoring.spec) or belongs(monitoring, body):
            continue
        owners = body["metadata"].get("ownerReferences") or ()
        former = any(owner["kind"] == KIND and owner["name"] == monitoring.name for owner in owners)
        error = GarbageCollectionError if former else NameTakenError
        raise error(child.kind.name, monitoring.namespace, body["metadata"]["name"])


def owned(monitoring: Monitoring, body: Body) -> bool:
    """Whether exactly this SergasMonitoring wrote the object: it is its owner, or retained it."""
    metadata = body["metadata"]
    owners = {owner["uid"] for owner in metadata.get("ownerReferences") or ()}
    annotation = (metadata.get("annotations") or {}).get(names.RETAINED_ANNOTATION)
    return monitoring.uid in owners or (not owners and annotation == names.retained_by(monitoring))


def belongs(monitoring: Monitoring, body: Body) -> bool:
    """Whether the SergasMonitoring owns the object, or it was retained by one of this name."""
    metadata = body["metadata"]
    annotation = (metadata.get("annotations") or {}).get(names.RETAINED_ANNOTATION, "")
    retained = annotation.startswith(f"{monitoring.namespace}/{monitoring.name}/")
    return owned(monitoring, body) or (retained and not metadata.get("ownerReferences"))


def deletion_policy(monitoring: Monitoring, state: State) -> str:
    """What deleting the SergasMonitoring would do now: Delete when a child has it as its owner, Retain otherwise."""
    uids = {owner["uid"] for body in state.children.values() for owner in body["metadata"].get("ownerReferences") or ()}
    if not state.children:
        return ""
    return "Delete" if monitoring.uid in uids else "Retain"


def last_good(monitoring: Monitoring, state: State) -> dict[str, bytes]:
    """The decoded data of the config Secret, if exactly this SergasMonitoring wrote it."""
    body = state.child(kinds.SECRET, names.config_secret(monitoring.name))
    return _decoded(body) if body and owned(monitoring, body) else {}


def _secret_data(body: Body | None) -> Mapping[str, bytes] | None:
    if body is None:
        return None
    allowed = (body["metadata"].get("labels") or {}).get(names.RECEIVER_LABEL) == "true"
    return _decoded(body) if allowed else NOT_ALLOWED


def _decoded(body: Body) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in (body.get("data") or {}).items()}


async def _volumes(cluster: Cluster, namespace: str, name: str) -> tuple[Volume, ...]:
    # The StatefulSet controller labels the claims with its selector, so claims made by an earlier installation and
    # without our labels are found as well.
    selector = f"{names.INSTANCE}={name}"
    claims = await cluster.list_objects(kinds.VOLUME_CLAIM, namespace, selector)
    found = (_volume(name, claim) for claim in claims)
    return tuple(sorted((volume for volume in found if volume), key=lambda volume: volume.claim))


def _volume(name: str, claim: Body) -> Volume | None:
    """The claim as a replica's volume, by the name a StatefulSet gives it: `<template>-<StatefulSet>-<ordinal>`."""
    claim_name = str(claim["metadata"]["name"])
    head, _, ordinal = claim_name.rpartition("-")
    actual = ((claim.get("status") or {}).get("capacity") or {}).get("storage", "")
    sets = {part: names.stateful_set(name, part) for part in PARTS} | {names.DIGEST: names.digest(name)}
    part = next((part for part, stateful_set in sets.items() if head.endswith(f"-{stateful_set}")), None)
    return Volume(claim_name, part, int(ordinal), actual) if part and ordinal.isdigit() else None


def _claim(stateful_set: Body) -> Claim | None:
    templates = stateful_set["spec"].get("volumeClaimTemplates") or ()
    if not templates:
        return None
    spec = templates[0]["spec"]
    return Claim(spec["resources"]["requests"]["storage"], spec.get("storageClassName", ""))
