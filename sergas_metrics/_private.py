"""The private attributes of prometheus-client that the library reads: it offers no other way to what they hold.

``tests/metrics/test_private.py`` runs with the oldest and the newest version that the library accepts.
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector


def collectors_of(registry: CollectorRegistry) -> dict[Collector, list[str]]:
    """The collectors of a registry with the names of their metrics, in the order in which they were registered."""
    # One copy, made at once: the registry's lock is not needed, which a finalizer that records could not take.
    return registry._collector_to_names.copy()


def mode_of_gauge(collector: Any) -> str:
    """How a gauge of prometheus-client was declared to become one of several processes; ``livesum`` unless it was."""
    mode: str = getattr(collector, "_multiprocess_mode", "livesum")
    return mode
