"""The HTTP side: Alertmanager's webhook, metrics, liveness and readiness."""

from __future__ import annotations

import sqlite3
import time

import prometheus_client
from aiohttp import web

from sergas_digest import alert, metrics
from sergas_digest.courier import Courier

# Far above what Alertmanager sends: a request that is refused would be lost.
BODY_BYTES = 64 * 1024 * 1024
STUCK_SECONDS = 60.0


def application(courier: Courier) -> web.Application:
    """The application over a courier."""

    async def alerts(request: web.Request) -> web.Response:
        """Answers 200 only once the alerts are on disk; until then Alertmanager tries again."""
        try:
            found = alert.read(await request.json())
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        try:
            dropped = await courier.ask(lambda store: store.take(found, time.time()))
        except sqlite3.Error as error:
            return web.Response(status=503, text=f"the alerts cannot be kept: {error}\n")
        metrics.RECEIVED.inc(len(found))
        metrics.DROPPED.inc(dropped)
        return web.Response(text="kept\n")

    async def exposition(_: web.Request) -> web.Response:
        body = prometheus_client.generate_latest(metrics.REGISTRY)
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    async def live(_: web.Request) -> web.Response:
        silent = time.monotonic() - courier.beaten
        if silent > STUCK_SECONDS:
            return web.Response(status=503, text=f"the courier has been stuck for {silent:.0f} s\n")
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        try:
            await courier.ask(lambda store: store.waiting())
        except sqlite3.Error as error:
            return web.Response(status=503, text=f"the alerts cannot be read: {error}\n")
        return web.Response(text="ok\n")

    found = web.Application(client_max_size=BODY_BYTES)
    found.add_routes(
        [
            web.post("/alerts", alerts),
            web.get("/metrics", exposition),
            web.get("/healthz", live),
            web.get("/readyz", ready),
        ]
    )
    return found
