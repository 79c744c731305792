"""The private attributes of prometheus-client that the library reads are what it takes them for."""

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics._private import collectors_of, mode_of_gauge


def test_collectors_come_with_their_names_in_order(registry: CollectorRegistry) -> None:
    counter = prometheus_client.Counter("b_total", "B.", registry=registry)
    gauge = prometheus_client.Gauge("a", "A.", registry=registry)
    found = collectors_of(registry)
    assert list(found) == [counter, gauge]
    assert "b_total" in found[counter]
    found.clear()
    assert list(collectors_of(registry)) == [counter, gauge]


@pytest.mark.parametrize("mode", ["all", "liveall", "min", "livemax", "mostrecent", "livesum"])
def test_gauge_says_how_it_was_declared(registry: CollectorRegistry, mode: str) -> None:
    gauge = prometheus_client.Gauge("a", "A.", registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]
    assert mode_of_gauge(gauge) == mode
