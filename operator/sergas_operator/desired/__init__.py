"""What a SergasMonitoring becomes. Everything here is pure: the same input gives the same children, byte
for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sergas_operator import names
from sergas_operator.desired.alertmanager import alertmanager
from sergas_operator.desired.alertmanager_config import Config, config_secret, render
from sergas_operator.desired.digest import digest_service, digest_stateful_set
from sergas_operator.desired.disruption_budgets import disruption_budget
from sergas_operator.desired.prometheus import prometheus
from sergas_operator.desired.services import alertmanager_service, prometheus_service
from sergas_operator.hearers import digest_receivers
from sergas_operator.receivers import Resolved
from sergas_operator.settings import Settings
from sergas_operator.spec import Monitoring


def children(
    monitoring: Monitoring, settings: Settings, config: Config, *, had_digest: bool = False
) -> list[dict[str, Any]]:
    """Every child of `monitoring`; a digest that is no longer needed, which `had_digest` tells of, is put to rest.

    The config Secret is first and must be written first: while an Alertmanager's Secret is missing,
    prometheus-operator loads a configuration that tells no one, and says nothing about it.
    """
    return [
        _stamped(child)
        for child in (
            config_secret(monitoring, config),
            alertmanager(monitoring, settings),
            prometheus(monitoring, settings),
            prometheus_service(monitoring),
            alertmanager_service(monitoring),
            disruption_budget(monitoring, names.PROMETHEUS),
            disruption_budget(monitoring, names.ALERTMANAGER),
            *(_digest(monitoring, settings) if had_digest or digest_receivers(monitoring.spec) else ()),
        )
    ]


def _digest(monitoring: Monitoring, settings: Settings) -> tuple[dict[str, Any], ...]:
    return digest_stateful_set(monitoring, settings), digest_service(monitoring)


def configuration(monitoring: Monitoring, receivers: Sequence[Resolved]) -> Config:
    """Alertmanager's configuration for `monitoring`."""
    return render(monitoring, receivers)


def _stamped(child: dict[str, Any]) -> dict[str, Any]:
    """`child` with a hash of itself, by which a field that is no longer wanted is noticed and taken away.

    Of a Secret only the keys count, lest the hash help to guess a value.
    """
    seen = child | {"data": sorted(child["data"])} if "data" in child else child
    digest = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
    metadata = child["metadata"] | {"annotations": {names.HASH_ANNOTATION: digest}}
    return child | {"metadata": metadata}
