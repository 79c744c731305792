"""Levels of the catalogue's gauges on the day of the story."""

from collections.abc import Callable
from typing import Final

import numpy as np

from dashboards.preview.example.clock import START, TIMES, Values
from dashboards.preview.example.story import INCIDENT, RAMP_SECONDS, RECOVERY, backlog, incident, load

QUOTA: Final = 5000


def quota_left() -> Values:
    """A window of 15 minutes is used up evenly and filled again; in the incident hardly anything is left."""
    used = (TIMES % 900) / 900 * 0.55 * load()
    return np.round(QUOTA * np.clip(1 - used - 0.97 * incident(), 0.004, 1))


def last_success() -> Values:
    """A few seconds ago, except between the incident's height and the recovery."""
    stands = INCIDENT + RAMP_SECONDS
    return np.where((stands < TIMES) & (RECOVERY > TIMES), float(stands), TIMES - 4)


LEVELS: Final[dict[str, Callable[[], Values]]] = {
    "sergas_http_requests_in_progress": lambda: np.round(3 * load() + 60 * incident()),
    "sergas_zoho_rate_limit_remaining": quota_left,
    "sergas_zoho_rate_limit_max": lambda: np.full(len(TIMES), float(QUOTA)),
    "sergas_zoho_sync_last_success_timestamp_seconds": last_success,
    "sergas_zoho_sync_lag_seconds": lambda: 95 + 30 * np.sin(TIMES / 300) + 1900 * backlog(),
    "sergas_memory_last_success_timestamp_seconds": lambda: TIMES - 11,
    "sergas_memory_graph_nodes_total": lambda: np.round(184_000 + (TIMES - START) * 0.02),
    "sergas_memory_graph_relationships_total": lambda: np.round(412_000 + (TIMES - START) * 0.05),
    "sergas_agent_queue_size": lambda: np.round(24 * load() + 5 * np.sin(TIMES / 90) ** 2 + 1400 * backlog()),
    "sergas_agent_concurrent_tasks": lambda: np.round(9 * load() + 8 * incident()),
    "sergas_accounts_active_total": lambda: np.round(12_480 + (TIMES - START) / 3600),
    "sergas_database_pool_connections": lambda: np.round(20 * np.clip(0.4 + 0.6 * load() + 1.2 * incident(), 0, 2.8)),
    "sergas_database_pool_connections_max": lambda: np.full(len(TIMES), 20.0),
}
