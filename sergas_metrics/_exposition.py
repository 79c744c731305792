"""The metrics endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client import CollectorRegistry

from ._collector import MetricsCollector
from ._exchange import SCOPE_KEY, Message, Receive, Send
from ._guard import GuardedRegistry
from ._page import UNAUTHORIZED, Page, checked_token, is_authorized, page_of
from ._rendering import Rendered, registry_of, render_page

_READS = ("GET", "HEAD")


def metrics_app(
    source: MetricsCollector | CollectorRegistry | None = None, *, token: str | None = None
) -> Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]:
    """An ASGI application that serves a registry's metrics, whatever their origin, to Prometheus.

    It answers in the text format or in OpenMetrics, as the ``Accept`` header asks, compressed where the client takes
    gzip, and only the metrics named by ``?name[]=`` if there are any. Metrics are rendered in a thread, so that a large
    scrape does not hold up the event loop, and scrapes that arrive meanwhile share the result. A collector that raises
    costs its own metrics, not the scrape. The request itself is not recorded by ``MetricsMiddleware``.

    ``instrument`` and ``MetricsMiddleware(metrics_path=...)`` serve it already; use this to put it elsewhere, such as
    on a port of its own: ``uvicorn.run(metrics_app(), port=9000)``.

    Args:
        source: A collector or a registry; the default registry when left out.
        token: If given, only requests with ``Authorization: Bearer <token>`` are answered; others get 401.

    Raises:
        ValueError: The token is empty.
    """
    return _Endpoint(registry_of(source), checked_token(token))


class _Endpoint:
    def __init__(self, registry: CollectorRegistry, token: str | None) -> None:
        self._registry = GuardedRegistry(registry)
        self._token = token
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sergas-metrics")
        self._under_way: dict[tuple[Page, int], asyncio.Future[Rendered]] = {}

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the metrics endpoint answers HTTP alone, not a connection of type {scope['type']}")
        exchange = scope.get(SCOPE_KEY)
        if exchange is not None:
            exchange.withdraw()
        if scope["method"] not in _READS:
            await _answer(send, scope, 405, [(b"allow", b"GET, HEAD")], b"Use GET to read metrics.\n")
            return
        if not is_authorized(_header(scope, b"authorization"), self._token):
            await _answer(send, scope, 401, [(b"www-authenticate", b"Bearer")], UNAUTHORIZED.encode())
            return
        page = _page(scope)
        rendered = await self._rendered(page)
        await _answer(send, scope, 200, _headers(page, rendered), rendered.body)

    async def _rendered(self, page: Page) -> Rendered:
        loop = asyncio.get_running_loop()
        key = (page, id(loop))
        under_way = self._under_way.get(key)
        if under_way is None:
            under_way = loop.run_in_executor(self._thread, render_page, self._registry, page)
            self._under_way[key] = under_way
            under_way.add_done_callback(lambda _: self._under_way.pop(key, None))
        # One scrape that is cancelled must not take the others' answer away.
        return await asyncio.shield(under_way)


def _page(scope: MutableMapping[str, Any]) -> Page:
    query: bytes = scope.get("query_string", b"")
    return page_of(_header(scope, b"accept"), _header(scope, b"accept-encoding"), query.decode("latin-1"))


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def _headers(page: Page, rendered: Rendered) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", rendered.content_type.encode()), (b"vary", b"accept, accept-encoding")]
    if page.gzipped:
        headers.append((b"content-encoding", b"gzip"))
    return headers


async def _answer(
    send: Send, scope: MutableMapping[str, Any], status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    length = (b"content-length", str(len(body)).encode())
    start: Message = {"type": "http.response.start", "status": status, "headers": [*headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
