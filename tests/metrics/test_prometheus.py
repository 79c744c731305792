"""A real Prometheus scrapes a served application in each text format, and finds nothing wrong with it."""

import asyncio
import json
import math
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from prometheus_client import CollectorRegistry, ProcessCollector

from sergas_metrics import CATALOGUE, MetricsCollector, instrument

BIN = Path(__file__).parents[2] / "bin"
PROTOCOLS = ("PrometheusText0.0.4", "PrometheusText1.0.0", "OpenMetricsText1.0.0")
# For its start and two scrapes of each job, beside other tests.
PROMETHEUS_SECONDS = 30
TRACE = 0x5B8EFFF798038103D269B633813FC60C
AWKWARD = 'a "quoted" \\ name, 100 % ünïcode 🙂'
COMPLAINTS = (
    "prometheus_target_scrapes_sample_duplicate_timestamp_total",
    "prometheus_target_scrapes_sample_out_of_order_total",
    "prometheus_target_scrapes_sample_out_of_bounds_total",
    "prometheus_target_scrapes_exceeded_sample_limit_total",
    "prometheus_target_scrapes_exemplar_out_of_order_total",
    "prometheus_target_scrape_pools_failed_total",
)


def of_each(value: float) -> dict[str, float]:
    return dict.fromkeys(PROTOCOLS, value)


class Prometheus:
    """A Prometheus on loopback, asked over its API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **parameters: str) -> Any:
        return (await self.client.get(path, params=parameters)).raise_for_status().json()["data"]

    async def values(self, query: str) -> dict[str, float]:
        """The value of a query's series for each job."""
        found = (await self.get("/api/v1/query", query=query))["result"]
        return {series["metric"]["job"]: float(series["value"][1]) for series in found}

    async def own(self, name: str) -> float:
        """The sum of one of its own metrics."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


@pytest.fixture
async def prometheus_of(tmp_path: Path, eventually: Callable[..., Any]) -> AsyncIterator[Callable[[str], Any]]:
    """Start Prometheus on an application: prometheus = await prometheus_of(base_url)."""
    found = shutil.which("prometheus", path=str(BIN)) or shutil.which("prometheus")
    assert found, "prometheus is missing: run `make tools-light`"
    started: list[asyncio.subprocess.Process] = []
    clients: list[httpx.AsyncClient] = []

    async def start(target: str) -> Prometheus:
        jobs = [
            {
                "job_name": protocol,
                "scrape_protocols": [protocol],
                "static_configs": [{"targets": [target.removeprefix("http://")]}],
            }
            for protocol in PROTOCOLS
        ]
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{listener.getsockname()[1]}"
        command = [
            found,
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
            "--enable-feature=exemplar-storage",
            "--log.level=debug",
        ]
        with (tmp_path / "prometheus.log").open("wb") as log:
            started.append(await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log))
        client = httpx.AsyncClient(base_url=f"http://{address}", timeout=10)
        clients.append(client)
        log_file = tmp_path / "prometheus.log"
        await eventually(lambda: "Server is ready" in log_file.read_text(), seconds=PROMETHEUS_SECONDS)
        return Prometheus(client)

    yield start
    for client in clients:
        await client.aclose()
    for process in started:
        process.terminate()
        await process.wait()


def record(metrics: MetricsCollector) -> None:
    """A series for every metric, and values that are awkward to write."""
    for domain in (value for value in vars(metrics).values() if type(value).__name__.endswith("Metrics")):
        for family in (value for value in vars(domain).values() if hasattr(value, "spec")):
            family.labels(*family.spec.labels)
    metrics.agent.set_queue_size(AWKWARD, 3)
    metrics.zoho.set_rate_limit_remaining(1e16, maximum=math.inf)
    metrics.zoho.set_sync_lag(math.nan)
    metrics.business.set_accounts_active(1_234_567)
    for number in range(2_000):
        metrics.memory.record_processing("ingest", number / 10)
    span = NonRecordingSpan(SpanContext(TRACE, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)))
    with use_span(span):
        metrics.database.record_query("select_account", 0.3)


async def test_prometheus_finds_nothing_wrong_in_any_format(
    registry: CollectorRegistry,
    serving: Callable[[Any], Any],
    prometheus_of: Callable[[str], Any],
    eventually: Callable[..., Any],
) -> None:
    metrics = MetricsCollector(registry, exemplars=True)
    if sys.platform == "linux":
        ProcessCollector(registry=registry)
    app = FastAPI()
    app.add_api_route("/accounts/{account_id}", lambda account_id: account_id)
    record(metrics)
    base = await serving(instrument(app, collector=metrics))
    async with httpx.AsyncClient(base_url=base) as client:
        for number in range(7):
            await client.get(f"/accounts/{number}")
    prometheus = await prometheus_of(base)

    async def scraped() -> bool:
        counts = await prometheus.values("count_over_time(up[1m])")
        return len(counts) == len(PROTOCOLS) and min(counts.values()) >= 2

    await eventually(scraped, seconds=PROMETHEUS_SECONDS)
    assert await prometheus.values("min_over_time(up[1m])") == of_each(1)
    targets = (await prometheus.get("/api/v1/targets"))["activeTargets"]
    assert {target["lastError"] for target in targets} == {""}
    assert {name: await prometheus.own(name) for name in COMPLAINTS} == dict.fromkeys(COMPLAINTS, 0.0)

    assert await prometheus.values(
        'sergas_http_requests_total{route="/accounts/{account_id}",status="200"}'
    ) == of_each(7)
    escaped = AWKWARD.replace("\\", "\\\\").replace('"', '\\"')
    assert await prometheus.values(f'sergas_agent_queue_size{{agent="{escaped}"}} == 3') == of_each(3.0)
    assert await prometheus.values("sergas_zoho_rate_limit_remaining") == of_each(1e16)
    assert await prometheus.values("sergas_zoho_rate_limit_max") == of_each(math.inf)
    assert all(map(math.isnan, (await prometheus.values("sergas_zoho_sync_lag_seconds")).values()))
    assert await prometheus.values("sergas_accounts_active_total") == of_each(1_234_567.0)
    bucket = 'sergas_memory_processing_duration_seconds_bucket{operation="ingest",le="60.0"}'
    assert await prometheus.values(bucket) == of_each(601.0)

    names = set(await prometheus.get("/api/v1/label/__name__/values"))
    ending = {"counter": "", "gauge": "", "histogram": "_bucket"}
    # None of these happened.
    library = {f"sergas_metrics_{name}_total" for name in ("overflow", "collector_failures", "errors")}
    assert {spec.name + ending[spec.kind] for spec in CATALOGUE} - names == library

    query = "sergas_database_query_duration_seconds_bucket"
    found = await prometheus.get("/api/v1/query_exemplars", query=query, start="0", end="99999999999")
    exemplars = {
        (series["seriesLabels"]["job"], e["labels"]["trace_id"]) for series in found for e in series["exemplars"]
    }
    assert exemplars == {("OpenMetricsText1.0.0", f"{TRACE:032x}")}
