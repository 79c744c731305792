"""The middleware: plain ASGI, for any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from ._boundary import failed, guarded
from ._collector import MetricsCollector
from ._endpoint import READS, metrics_app
from ._exchange import SCOPE_KEY, Exchange, Receive, Send
from ._routes import UNMATCHED, RouteTemplates
from ._store import publisher_of

Scope = MutableMapping[str, Any]
Route = Callable[[Scope], str | None]
"""Gives the template of the route that answered, or ``None`` where none did."""

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
OTHER_METHOD: Final = "OTHER"
"""The ``method`` label of requests whose method is none of HTTP's: clients may send any word."""


class MetricsMiddleware:
    """Records every HTTP request of an ASGI application.

    * ``route`` is the template that answered, with the prefixes of routers and mounts: ``/api/accounts/{account_id}``.
      Requests that no route answers share the one route ``unmatched``.
    * ``status`` is the code sent; 500 if the application raised or was cancelled, even after it began to answer; 499 if
      the client is known to have left before the response was complete.
    * An exception that leaves the application is counted in ``sergas_unhandled_exceptions_total``.
    * Durations end with the last byte of the response: streamed bodies count, background tasks do not.
    * Websockets and lifespan pass untouched.

    An application that is wrapped twice for one collector counts each request once.

    Args:
        app: The application.
        collector: Where requests are recorded; one on the default registry when left out.
        metrics_path: If given, GET requests to this path are answered with the collector's metrics. They are not
            recorded, and no middleware further in sees them. Other methods are the application's.
        metrics_token: If given, ``metrics_path`` answers only requests with ``Authorization: Bearer <token>``.
        route: Gives the route's template from the scope of an answered request, for frameworks other than Starlette
            and FastAPI; ``None`` stands for ``unmatched``.

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
        route: Route | None = None,
    ) -> None:
        check_path(metrics_path)
        collector = collector or MetricsCollector()
        publisher = publisher_of(collector.registry)
        self.app = app if publisher is None else publisher.around(app)
        self.owner: object = collector.http.requests
        self._record = collector.http.record_request
        self._record_unhandled = collector.errors.record_unhandled
        self._in_progress = collector.http.requests_in_progress.labels()
        self._template = route or RouteTemplates().of
        self._metrics_path = metrics_path
        self._metrics = metrics_app(source=collector, metrics_token=metrics_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._metrics_path is not None and self._asks_for_metrics(scope):
            await self._metrics(scope, receive, send)
            return
        outer = scope.get(SCOPE_KEY)
        if outer is not None and outer.is_watched_for(self.owner):
            await self.app(scope, receive, send)
            return
        guarded("http", self._in_progress.inc)
        exchange = scope[SCOPE_KEY] = Exchange(scope, receive, send, self, outer)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            if exchange.failed(error):
                guarded("http", self._record_unhandled, error)
            raise
        if not exchange.done:
            exchange.ended()

    def finished(self, scope: Scope, status: int | None, seconds: float) -> None:
        """Record an exchange; one without a status does not count."""
        self._in_progress.dec()
        if status is not None:
            method = scope["method"]
            self._record(method if method in METHODS else OTHER_METHOD, self._route(scope), status, seconds)

    def _route(self, scope: Scope) -> str:
        try:
            return self._template(scope) or UNMATCHED
        except Exception:
            failed("route")
            return UNMATCHED

    def _asks_for_metrics(self, scope: Scope) -> bool:
        """Whether a request is for the metrics, also of servers that put the root in front of the path."""
        path = scope["path"]
        found = path == self._metrics_path or path == f"{scope.get('root_path', '')}{self._metrics_path}"
        return found and scope["method"] in READS


def check_path(metrics_path: str | None) -> None:
    """Check the path of the metrics.

    Raises:
        ValueError: It does not begin with a slash.
    """
    if metrics_path is not None and not metrics_path.startswith("/"):
        raise ValueError(f'metrics_path must begin with a slash: write "/{metrics_path}"')
