"""The same FastAPI application, bare and instrumented by each library."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

import aioprometheus
import prometheus_client
from aioprometheus.asgi.middleware import MetricsMiddleware as AioprometheusMiddleware
from fastapi import FastAPI
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.trace import NoOpTracerProvider
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from pytheus.middleware import PytheusMiddlewareASGI
from starlette_exporter import PrometheusMiddleware as StarletteExporterMiddleware

from sergas_metrics import MetricsCollector, instrument

BARE = "bare"
NOTHING = "a middleware that does nothing"
OURS = "ours"
INSTRUMENTATOR = "prometheus-fastapi-instrumentator"


class Probe:
    """The innermost middleware: notes in the scope's ``probe`` how long the application itself takes.

    What it takes for ``send`` to return is left out: around the bare application that is nothing, and around the others
    it is the middleware at work.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        outside = 0

        async def timed(message: Any) -> None:
            nonlocal outside
            start = perf_counter_ns()
            await send(message)
            outside += perf_counter_ns() - start

        start = perf_counter_ns()
        await self.app(scope, receive, timed)
        scope["probe"].append(perf_counter_ns() - start - outside)


class Nothing:
    """A middleware that wraps ``send`` and records nothing: what any middleware costs at least."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection."""

        async def passed_on(message: Any) -> None:
            await send(message)

        await self.app(scope, receive, passed_on)


def application(routes: int, **telemetry: Any) -> FastAPI:
    """An application whose measured route, ``/items/{item_id}``, stands in the middle of the others."""
    app = FastAPI(telemetry={"metrics": False, "tracing": False, "logs": False, **telemetry})
    app.add_middleware(Probe)
    for number in range(routes):
        if number == routes // 2:
            app.add_api_route("/items/{item_id}", _item)
        else:
            app.add_api_route(f"/r{number}/{{x}}", _other)
    return app


async def _item(item_id: int) -> dict[str, int]:
    return {"id": item_id}


async def _other(x: str) -> dict[str, str]:
    return {"x": x}


def applications(routes: int) -> dict[str, FastAPI]:
    """The application under every library; all record a counter and a latency histogram at least."""
    return {
        BARE: application(routes),
        OURS: instrument(application(routes), collector=MetricsCollector(CollectorRegistry())),
        NOTHING: _with(routes, Nothing),
        INSTRUMENTATOR: _instrumentator(routes),
        "starlette-exporter": _with(routes, StarletteExporterMiddleware, prefix=f"bench{routes}"),
        "aioprometheus": _with(routes, AioprometheusMiddleware, registry=aioprometheus.collectors.Registry()),
        "pytheus": _with(routes, PytheusMiddlewareASGI),
        "opentelemetry-instrumentation-fastapi": _opentelemetry(routes),
        "FastAPI's own telemetry": application(routes, metrics=True, meter_provider=_provider()),
    }


def _with(routes: int, middleware: Any, **settings: Any) -> FastAPI:
    app = application(routes)
    app.add_middleware(middleware, **settings)
    return app


def _instrumentator(routes: int) -> FastAPI:
    app = application(routes)
    Instrumentator(registry=prometheus_client.CollectorRegistry()).instrument(app)
    return app


def _opentelemetry(routes: int) -> FastAPI:
    app = application(routes)
    FastAPIInstrumentor.instrument_app(app, meter_provider=_provider(), tracer_provider=NoOpTracerProvider())
    return app


def _provider() -> MeterProvider:
    reader: Any = PrometheusMetricReader(registry=CollectorRegistry())
    return MeterProvider(metric_readers=[reader], exemplar_filter=AlwaysOffExemplarFilter())
