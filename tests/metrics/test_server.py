"""The metrics server of processes without HTTP."""

import socket
import urllib.request
from collections.abc import Iterable

import pytest
from prometheus_client import Metric

from sergas_metrics import MetricsCollector, serve


def read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def test_it_serves_a_collectors_metrics_on_a_free_port(metrics: MetricsCollector) -> None:
    metrics.agent.record_attempt("sync")
    with serve(0, address="127.0.0.1", source=metrics) as server:
        assert '\nsergas_agent_task_attempts_total{agent="sync"} 1.0\n' in read(server.port)


def test_it_stops_listening_when_closed(metrics: MetricsCollector) -> None:
    server = serve(0, address="127.0.0.1", source=metrics)
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port), timeout=10):
        pass


def test_a_port_that_is_taken_is_an_error(metrics: MetricsCollector) -> None:
    with serve(0, address="127.0.0.1", source=metrics) as server, pytest.raises(OSError, match="in use"):
        serve(server.port, address="127.0.0.1", source=metrics)


def test_a_collector_that_raises_costs_its_own_metrics_alone(metrics: MetricsCollector) -> None:
    class Broken:
        def collect(self) -> Iterable[Metric]:
            raise RuntimeError("unreachable")

    metrics.registry.register(Broken())
    with serve(0, address="127.0.0.1", source=metrics) as server:
        read(server.port)
        assert 'sergas_metrics_collector_failures_total{collector="Broken"} 1.0' in read(server.port)
