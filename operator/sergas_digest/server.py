"""The HTTP interface: Alertmanager's webhook, metrics, liveness and readiness."""

from __future__ import annotations

import asyncio
import functools
import logging

import prometheus_client
from aiohttp import web

from sergas_digest import alert, alert_store, config, metrics
from sergas_digest.authentication import authorized
from sergas_digest.clock import Clock
from sergas_digest.config import ConfigError, ConfigFile
from sergas_digest.database import Database, StorageError
from sergas_digest.delivery import Delivery

log = logging.getLogger(__name__)

# Alertmanager sends each info alert alone, in a few kilobytes.
BODY_BYTES = 1024 * 1024
BODY_SECONDS = 10.0
# Bodies in memory at the same time. Further requests wait, unread.
BODIES = 4
STUCK_SECONDS = 60.0
ERRORS_NAMED = 3


class RejectionError(Exception):
    """A request that is not carried out, with the reason for the metric, the status and the sentence to answer."""

    def __init__(self, reason: str, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.status, self.sentence = reason, status, sentence


class Server:
    """The handlers, over a database and a delivery."""

    def __init__(self, database: Database, config_file: ConfigFile, delivery: Delivery, clock: Clock) -> None:
        self._database = database
        self._config_file = config_file
        self._delivery = delivery
        self._clock = clock
        self._bodies = asyncio.Semaphore(BODIES)

    def application(self) -> web.Application:
        """The application with its routes."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/alerts", self.alerts),
                web.get("/metrics", self.metrics),
                web.get("/healthz", self.live),
                web.get("/readyz", self.ready),
            ]
        )
        return application

    async def alerts(self, request: web.Request) -> web.Response:
        """Stores the alerts of a request. It answers 200 only when they are on disk.

        Alertmanager repeats a request that is answered with 503, and not one that is answered with 4xx.
        """
        try:
            self._authenticate(request)
            async with self._bodies:
                return await self._store(await _body(request))
        except RejectionError as rejection:
            metrics.REJECTIONS.labels(rejection.reason).inc()
            log.warning("a request from %s was rejected: %s", request.remote, rejection.sentence)
            return web.Response(status=rejection.status, text=f"{rejection.sentence}\n")

    async def metrics(self, _: web.Request) -> web.Response:
        """The metrics in Prometheus's text format."""
        body = prometheus_client.generate_latest(metrics.REGISTRY)
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    async def live(self, _: web.Request) -> web.Response:
        """503 if the loop of the delivery is stuck, which a restart may cure."""
        silent = self._clock.monotonic() - self._delivery.beat
        if silent > STUCK_SECONDS:
            return web.Response(status=503, text=f"the delivery loop made its last pass {silent:.0f} s ago\n")
        return web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """503 with the reason if alerts cannot be received."""
        self._config_file.refresh()
        problem = self._config_file.error or self._database.error
        return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n")

    def _authenticate(self, request: web.Request) -> None:
        self._config_file.refresh()
        found = self._config_file.config
        try:
            tokens = () if found is None else config.tokens(found)
        except ConfigError as error:
            raise RejectionError("unauthorized", 503, f"requests cannot be authenticated: {error}") from error
        if not tokens:
            raise RejectionError("unauthorized", 503, f"requests cannot be authenticated: {self._config_file.error}")
        if not authorized(request.headers.get("Authorization", ""), tokens):
            sentence = "the bearer token is missing or wrong: send `Authorization: Bearer <token>` with the token of "
            raise RejectionError("unauthorized", 401, f"{sentence}the digest's tokenFile")

    async def _store(self, body: bytes) -> web.Response:
        try:
            found, errors = alert.parse(body)
        except alert.PayloadError as error:
            raise RejectionError("malformed", 400, str(error)) from error
        store = functools.partial(alert_store.store, alerts=found, now=self._clock.wall())
        try:
            dropped = await self._database.run(store)
        except StorageError as error:
            raise RejectionError("storage", 503, f"the alerts cannot be stored: {error}") from error
        metrics.RECEIVED.inc(len(found) - dropped)
        metrics.DROPPED.inc(dropped)
        metrics.REJECTIONS.labels("full").inc(dropped)
        if errors:
            metrics.REJECTIONS.labels("invalid_alert").inc(len(errors) - 1)
            more = f"; and {len(errors) - ERRORS_NAMED} more" if len(errors) > ERRORS_NAMED else ""
            sentence = f"{len(found)} alerts are stored and {len(errors)} are not: "
            raise RejectionError("invalid_alert", 400, sentence + "; ".join(errors[:ERRORS_NAMED]) + more)
        return web.Response(text="stored\n")


async def _body(request: web.Request) -> bytes:
    """The body of a request, read piece by piece so that a large one is refused before it is in memory."""
    too_large = RejectionError(
        "too_large", 413, f"the body is larger than {BODY_BYTES} bytes: send fewer alerts at once"
    )
    if (request.content_length or 0) > BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > BODY_BYTES:
                    raise too_large
    except TimeoutError as error:
        raise RejectionError("timeout", 408, f"the body did not arrive within {BODY_SECONDS:.0f} s") from error
    return bytes(body)
