"""The children of a SergasMonitoring, in the order in which they are written.

This is the only list of children. A further child is one entry here, one builder and one golden case: reads, writes,
watches, the operator's Role and the status follow from the entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sergas_operator.desired import disruption_budgets, services
from sergas_operator.desired.alertmanager import alertmanager
from sergas_operator.desired.alertmanager_config import config_secret
from sergas_operator.desired.digest import digest_service, digest_stateful_set
from sergas_operator.desired.inputs import Inputs
from sergas_operator.desired.prometheus import prometheus
from sergas_operator.desired.recipients import digest_receivers
from sergas_operator.model import kinds, names
from sergas_operator.model.kinds import Kind
from sergas_operator.model.spec import Spec

OURS = f"{names.PART_OF}={names.PRODUCT}"


@dataclass(frozen=True)
class Child:
    """One child.

    Attributes:
        kind: its kind, with the API path.
        name: its name, from the SergasMonitoring's name.
        build: the desired object.
        condition: the status condition that reports on it.
        wanted: whether the spec asks for it; one that exists and is not wanted is deleted. None means always.
    """

    kind: Kind
    name: Callable[[str], str]
    build: Callable[[Inputs], dict[str, Any]]
    condition: str
    wanted: Callable[[Spec], object] | None = None

    def is_wanted(self, spec: Spec) -> bool:
        """Whether the spec asks for it."""
        return self.wanted is None or bool(self.wanted(spec))


# The config Secret is first: while an Alertmanager's Secret is missing, prometheus-operator loads a configuration
# that notifies nobody, and reports no error.
CHILDREN = (
    Child(kinds.SECRET, names.config_secret, config_secret, "ConfigLoaded"),
    Child(kinds.ALERTMANAGER, names.resource, alertmanager, "AlertmanagerAvailable"),
    Child(kinds.PROMETHEUS, names.resource, prometheus, "PrometheusAvailable"),
    Child(kinds.SERVICE, names.prometheus_service, services.prometheus_service, "PrometheusAvailable"),
    Child(kinds.SERVICE, names.alertmanager_service, services.alertmanager_service, "AlertmanagerAvailable"),
    Child(kinds.DISRUPTION_BUDGET, names.prometheus_service, disruption_budgets.prometheus, "PrometheusAvailable"),
    Child(
        kinds.DISRUPTION_BUDGET, names.alertmanager_service, disruption_budgets.alertmanager, "AlertmanagerAvailable"
    ),
    Child(kinds.STATEFUL_SET, names.digest, digest_stateful_set, "DigestAvailable", wanted=digest_receivers),
    Child(kinds.SERVICE, names.digest, digest_service, "DigestAvailable", wanted=digest_receivers),
)

# The kinds whose changes trigger a reconcile, with the label selector of their watch. Secrets have none, because the
# Secrets that receivers refer to carry no label of ours; prometheus-operator copies PART_OF to its StatefulSets. Volume
# claims of an earlier installation have only the label that the StatefulSet controller copies from its selector.
WATCHED: dict[Kind, str] = {child.kind: "" if child.kind is kinds.SECRET else OURS for child in CHILDREN} | {
    kinds.VOLUME_CLAIM: names.INSTANCE
}


def desired(inputs: Inputs) -> Iterator[tuple[Child, dict[str, Any] | None]]:
    """Yield every child with its desired object, None for a child that is not wanted."""
    for child in CHILDREN:
        yield child, _with_hash(child.build(inputs)) if child.is_wanted(inputs.monitoring.spec) else None


def rules() -> list[dict[str, list[str]]]:
    """Return the rules of the Role that the operator needs in each namespace it serves."""
    rights: dict[Kind, set[str]] = {
        kinds.SERGAS_MONITORING: {"get", "list", "watch"},
        kinds.VOLUME_CLAIM: {"list", "watch"},
        kinds.POD: {"get", "list"},
        kinds.ENDPOINT_SLICE: {"list"},
        kinds.SERVICE_MONITOR: {"list"},
        kinds.EVENT: {"create", "patch"},
        kinds.LEASE: {"get", "create", "update"},
    }
    for child in CHILDREN:
        verbs = {"get", "list", "watch", "create", "patch"} | ({"delete"} if child.wanted else set())
        rights[child.kind] = rights.get(child.kind, set()) | verbs
    rows = [(kind.group, kind.plural, verbs) for kind, verbs in rights.items()]
    rows.append((kinds.SERGAS_MONITORING.group, f"{kinds.SERGAS_MONITORING.plural}/status", {"patch"}))
    binding = {"resourceNames": [names.OPERATOR], "verbs": ["get"]}
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": sorted(verbs)}
        for group, resource, verbs in sorted(rows, key=lambda row: row[:2])
    ] + [{"apiGroups": [kinds.ROLE_BINDING.group], "resources": [kinds.ROLE_BINDING.plural], **binding}]


def _with_hash(child: dict[str, Any]) -> dict[str, Any]:
    """Annotate `child` with a hash of itself, which changes when a field is no longer desired.

    Only the keys of a Secret count: a hash of its values would help to guess them.
    """
    hashed = child | {"data": sorted(child["data"])} if "data" in child else child
    digest = hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]
    annotations = child["metadata"].get("annotations", {}) | {names.HASH_ANNOTATION: digest}
    return child | {"metadata": child["metadata"] | {"annotations": annotations}}
