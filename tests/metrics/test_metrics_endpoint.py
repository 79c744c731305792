"""/metrics: formats, compression, threads, and that it does not record itself."""

import asyncio
import gzip
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from sergas_metrics import MetricsCollector, instrument, metrics_app

Requests = Callable[[], dict[tuple[str, str, str], float]]
Sample = Callable[..., float | None]

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.fixture
def app(metrics: MetricsCollector) -> FastAPI:
    app = instrument(FastAPI(), collector=metrics)
    app.add_api_route("/x", lambda: {})
    return app


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (PROMETHEUS_3, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
        ("application/openmetrics-text;version=x.y", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
async def test_the_format_is_the_one_that_is_asked_for(app: FastAPI, call: Any, accept: str, content_type: str) -> None:
    answer = await call(app, "/metrics", headers={"accept": accept})
    assert answer.status == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["vary"] == "accept, accept-encoding"


@pytest.mark.parametrize(("accept", "parse"), [("", parse_text), (PROMETHEUS_3, parse_openmetrics)])
async def test_what_is_served_is_what_was_recorded(
    app: FastAPI, call: Any, metrics: MetricsCollector, accept: str, parse: Any
) -> None:
    metrics.agent.record_failure('a "quoted"\\ \n name', "KeyError")
    await call(app, "/x")
    text = (await call(app, "/metrics", headers={"accept": accept})).body.decode()
    served = {(s.name, frozenset(s.labels.items())): s.value for family in parse(text) for s in family.samples}
    recorded = {
        (s.name, frozenset(s.labels.items())): s.value for family in metrics.registry.collect() for s in family.samples
    }
    assert served == recorded


@pytest.mark.parametrize(
    ("accept_encoding", "gzipped"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.5", True),
        ("x-gzip2", False),
    ],
)
async def test_the_answer_is_compressed_where_the_client_takes_gzip(
    app: FastAPI, call: Any, accept_encoding: str, gzipped: bool
) -> None:
    answer = await call(app, "/metrics", headers={"accept-encoding": accept_encoding})
    assert (answer.headers.get("content-encoding") == "gzip") is gzipped
    text = gzip.decompress(answer.body) if gzipped else answer.body
    assert text.startswith(b"# HELP sergas_http_requests_total ")
    assert int(answer.headers["content-length"]) == len(answer.body)


async def test_scrapes_are_not_recorded_nor_in_progress(app: FastAPI, call: Any, requests: Requests) -> None:
    answer = await call(app, "/metrics")
    assert b"\nsergas_http_requests_in_progress 0.0\n" in answer.body
    assert requests() == {}


async def test_a_metrics_app_mounted_by_hand_is_not_recorded_either(
    metrics: MetricsCollector, call: Any, requests: Requests
) -> None:
    app = instrument(FastAPI(), collector=metrics, metrics_path=None)
    app.add_route("/internal/metrics", metrics_app(source=metrics))  # type: ignore[arg-type]  # Starlette takes ASGI here too
    around = MetricsCollector(CollectorRegistry())
    instrument(app, collector=around, metrics_path=None)
    answer = await call(app, "/internal/metrics")
    assert b"\nsergas_http_requests_in_progress 0.0\n" in answer.body
    assert (await call(app, "/metrics")).status == 404
    assert requests() == {("GET", "unmatched", "404"): 1}
    for collector in (metrics, around):
        assert collector.registry.get_sample_value("sergas_http_requests_in_progress") == 0
        counted = [s.labels["route"] for s in next(iter(collector.http.requests.collect())).samples]
        assert counted == ["unmatched"]


async def test_a_route_that_takes_every_path_does_not_take_metrics(metrics: MetricsCollector, call: Any) -> None:
    app = FastAPI()
    app.add_api_route("/{path:path}", lambda path: path)
    instrument(app, collector=metrics)
    assert (await call(app, "/metrics")).body.startswith(b"# HELP")


async def test_metrics_are_found_below_a_root_path(app: FastAPI, call: Any) -> None:
    assert (await call(app, "/proxy/metrics", root_path="/proxy")).body.startswith(b"# HELP")
    assert (await call(app, "/metrics", root_path="/proxy")).body.startswith(b"# HELP")
    assert (await call(app, "/else/metrics", root_path="/proxy")).status == 404


async def test_metrics_can_be_asked_for_by_name(app: FastAPI, call: Any) -> None:
    answer = await call(app, "/metrics?name[]=sergas_accounts_active_total&name[]=nothing")
    assert [line.split()[0] for line in answer.body.decode().splitlines() if line[0] != "#"] == [
        "sergas_accounts_active_total"
    ]


async def test_head_has_the_headers_alone(app: FastAPI, call: Any) -> None:
    answer = await call(app, "/metrics", "HEAD")
    assert answer.status == 200
    assert int(answer.headers["content-length"]) > 1000
    assert answer.body == b""


async def test_refuses_other_methods(metrics: MetricsCollector, call: Any) -> None:
    answer = await call(metrics_app(source=metrics), "/metrics", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.body == b"Use GET to read metrics.\n"


async def test_other_connections_are_refused() -> None:
    with pytest.raises(
        RuntimeError, match=r"^the metrics endpoint answers HTTP alone, not a connection of type websocket$"
    ):
        await metrics_app()({"type": "websocket"}, None, None)  # type: ignore[arg-type]


class Watched:
    """A collector that notes the thread it is asked in, and waits there."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()

    def collect(self) -> Iterable[Metric]:
        self.threads.append(threading.current_thread())
        self.go_on.wait()
        return []


async def test_scrapes_are_rendered_off_the_event_loop_and_share_one_rendering(
    metrics: MetricsCollector, app: FastAPI, eventually: Any
) -> None:
    watched = Watched()
    metrics.registry.register(watched)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        scrapes = [asyncio.create_task(client.get("/metrics")) for _ in range(3)]
        await eventually(lambda: watched.threads)
        # The event loop answers while the scrape waits in its thread.
        assert (await client.get("/x")).status_code == 200
        scrapes[0].cancel()
        await asyncio.wait([scrapes[0]])
        watched.go_on.set()
        answers = await asyncio.gather(*scrapes[1:])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(watched.threads) == 1
    assert watched.threads[0] is not threading.main_thread()


class Broken:
    """A collector that raises."""

    def collect(self) -> Iterable[Metric]:
        raise RuntimeError("the queue is unreachable")


async def test_a_collector_that_raises_costs_its_own_metrics_alone(
    metrics: MetricsCollector, app: FastAPI, call: Any, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    metrics.registry.register(Broken())
    Gauge("after", "Registered after it.", registry=metrics.registry).set(1)
    with caplog.at_level(logging.ERROR):
        answer = await call(app, "/metrics")
    assert answer.status == 200
    assert b"\nafter 1.0\n" in answer.body
    assert caplog.messages == ["collector Broken failed; this scrape lacks its metrics"]
    assert "the queue is unreachable" in caplog.text
    # get_sample_value would stop at the broken collector, as prometheus-client's own exposition does
    assert metrics.registry._names_to_collectors["sergas_metrics_collector_failures_total"].labels("Broken").value == 1  # type: ignore[attr-defined]


async def test_a_registry_without_our_metrics_is_served_too(call: Any) -> None:
    registry = CollectorRegistry(target_info={"service": "x"})
    registry.register(Broken())
    answer = await call(metrics_app(source=registry), "/")
    assert answer.body.decode().splitlines()[-1] == 'target_info{service="x"} 1.0'


async def test_the_default_registry_is_served_unless_told_otherwise(call: Any) -> None:
    answer = await call(metrics_app(), "/?name[]=python_info")
    expected = REGISTRY.get_sample_value("python_info", _python_info_labels())
    assert expected == 1
    assert answer.body.startswith(b"# HELP python_info")


def _python_info_labels() -> dict[str, str]:
    return next(s.labels for m in REGISTRY.collect() for s in m.samples if s.name == "python_info")
