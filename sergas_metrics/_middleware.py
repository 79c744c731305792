"""The middleware: plain ASGI, for any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from ._collector import MetricsCollector
from ._exchange import SCOPE_KEY, Exchange, Receive, Send
from ._exposition import metrics_app
from ._processes import Published
from ._routes import RouteTemplates
from ._store import publisher_of

ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD: Final = "OTHER"
"""The ``method`` label of requests whose method is none of HTTP's: clients may send any word."""


class MetricsMiddleware:
    """Records every HTTP request of an ASGI application.

    * ``route`` is the template that answered, with the prefixes of routers and mounts: ``/api/accounts/{account_id}``.
      Requests that no route answers share the one route ``unmatched``.
    * ``status`` is the code sent; 500 if the application raised, even after it began to answer; 499 if the client left
      before the response was complete.
    * An exception that leaves the application is counted in ``sergas_unhandled_exceptions_total``.
    * Durations end with the last byte of the response: streamed bodies count, background tasks do not.
    * Websockets and lifespan pass untouched.

    An application that is wrapped twice for one collector counts each request once.

    Args:
        app: The application.
        collector: Where requests are recorded; one on the default registry when left out.
        metrics_path: If given, GET requests to this path are answered with the collector's metrics. They are not
            recorded, and no middleware further in sees them.
        metrics_token: If given, ``metrics_path`` answers only requests with ``Authorization: Bearer <token>``.

    Raises:
        ValueError: ``metrics_path`` does not begin with a slash, or the token is empty.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        collector: MetricsCollector | None = None,
        metrics_path: str | None = None,
        metrics_token: str | None = None,
    ) -> None:
        if metrics_path is not None and not metrics_path.startswith("/"):
            raise ValueError(f'metrics_path must begin with a slash: write "/{metrics_path}"')
        collector = collector or MetricsCollector()
        publisher = publisher_of(collector.registry)
        self.app = app if publisher is None else Published(app, publisher)
        self._http = collector.http
        self._errors = collector.errors
        self._owner = self._http.requests
        self._in_progress = self._http.requests_in_progress.labels()
        self._templates = RouteTemplates()
        self._metrics_path = metrics_path
        self._metrics = metrics_app(collector, token=metrics_token) if metrics_path else None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._metrics is not None and self._is_metrics_path(scope):
            await self._metrics(scope, receive, send)
            return
        outer = scope.get(SCOPE_KEY)
        if outer is not None and outer.is_watched_for(self._owner):
            await self.app(scope, receive, send)
            return
        self._in_progress.inc()
        exchange = scope[SCOPE_KEY] = Exchange(scope, receive, send, self._finished, self._owner, outer=outer)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            if exchange.failed(error):
                self._errors.record_unhandled(error)
            raise
        exchange.ended()

    def _finished(self, scope: MutableMapping[str, Any], status: int | None, seconds: float) -> None:
        self._in_progress.dec()
        if status is not None:
            method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
            self._http.record_request(method, self._templates.of(scope), status, seconds)

    def _is_metrics_path(self, scope: MutableMapping[str, Any]) -> bool:
        path: str = scope["path"]
        wanted = self._metrics_path or ""
        return path.endswith(wanted) and path in (wanted, scope.get("root_path", "") + wanted)
