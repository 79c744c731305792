"""The middleware under each ASGI framework, served by uvicorn: `make test-frameworks`."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector

sys.path.insert(0, str(Path(__file__).parent))

import applications

pytest.importorskip("litestar", reason="run by `make test-frameworks`")

ITEMS = {
    "fastapi": "/items/{item_id}",
    "starlette": "/items/{item_id}",
    "litestar": "/items/{item_id}",
    "quart": "/items/<int:item_id>",
    "django": "/items/<int:item_id>",
    "falcon": "/items/{item_id:int}",
}
DEADLINE_SECONDS = 20


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="auto", log_level="critical"))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await asyncio.wait_for(task, DEADLINE_SECONDS)


@pytest.mark.parametrize(("framework", "route"), ITEMS.items(), ids=ITEMS)
async def test_records_status_and_route_and_raises_nothing(
    framework: str, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    build: Callable[[MetricsCollector], Any] = getattr(applications, framework)
    async with serving(build(MetricsCollector(registry))) as url, httpx.AsyncClient(base_url=url) as client:
        with caplog.at_level(logging.ERROR, "sergas_metrics"):
            items = [await client.get(f"/items/{number}") for number in (1, 2)]
            boom, missing = await client.get("/boom"), await client.get("/nothing")
        page = await client.get("/metrics")
    assert [item.json() for item in items] == [{"id": 1}, {"id": 2}]
    assert (boom.status_code, missing.status_code) == (500, 404)
    assert page.text.startswith("# HELP sergas_http_requests_total ")
    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "sergas_http_requests_total"
    }
    assert counted == {(route, "200"): 2, ("/boom", "500"): 1, ("unmatched", "404"): 1}
    assert registry.get_sample_value("sergas_http_requests_in_progress") == 0
    assert not [record for record in caplog.records if record.name == "sergas_metrics"]
    assert "sergas_metrics_errors_total{" not in page.text
