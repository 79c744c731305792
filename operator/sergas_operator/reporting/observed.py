"""What one reconcile observed: the input of conditions and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sergas_operator.desired.receivers import Resolved
from sergas_operator.errors import OperatorError
from sergas_operator.observed.pods import Evidence
from sergas_operator.observed.state import Volume

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A write to a child, done or planned. `fields` has the paths of changed fields; it is empty for a new child."""

    action: Literal["Create", "Update", "Delete"]
    kind: str
    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed:
    """What one reconcile observed.

    Attributes:
        prometheus: the Prometheus resource as it is, None when there is none.
        alertmanager: the Alertmanager resource as it is.
        digest: the digest's StatefulSet as it is.
        stateful_sets: the StatefulSets of prometheus-operator, by part.
        receivers: the receivers with their values.
        volumes: the volume claims, also those of replicas that are gone.
        config_hash: hash of the configuration in the config Secret; empty when there is none.
        evidence: what the pods answered.
        changes: what was written, or would be written in mode Plan.
        deletion_policy: what deleting the resource would do to the children now; empty when there is none.
        problem: what stopped the reconcile, if anything did.
    """

    prometheus: Body | None = None
    alertmanager: Body | None = None
    digest: Body | None = None
    stateful_sets: Mapping[str, Body] = field(default_factory=dict)
    receivers: Sequence[Resolved] = ()
    volumes: Sequence[Volume] = ()
    config_hash: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    changes: Sequence[Change] = ()
    deletion_policy: str = ""
    problem: OperatorError | None = None
