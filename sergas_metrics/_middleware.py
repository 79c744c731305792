"""The middleware: plain ASGI, for any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from ._collector import MetricsCollector
from ._exchange import SCOPE_KEY, Exchange, Receive, Send
from ._exposition import metrics_app
from ._processes import Published
from ._routes import RouteTemplates
from ._status import STATUS
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
        self._record = collector.http.record_request
        self._counts = collector.http.requests.known
        self._durations = collector.http.request_duration.known
        self._errors = collector.errors
        self.owner: object = collector.http.requests
        self._in_progress = collector.http.requests_in_progress.labels()
        self._template = RouteTemplates().of
        self._metrics_path = metrics_path
        self._metrics = metrics_app(collector, token=metrics_token)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == self._metrics_path or (scope.get("root_path") and self._is_metrics_path(scope)):
            await self._metrics(scope, receive, send)
            return
        outer = scope.get(SCOPE_KEY)
        if outer is not None and outer.is_watched_for(self.owner):
            await self.app(scope, receive, send)
            return
        self._in_progress.inc()
        exchange = scope[SCOPE_KEY] = Exchange(scope, receive, send, self, outer)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            if exchange.failed(error):
                self._errors.record_unhandled(error)
            raise
        if not exchange.done:
            exchange.ended()

    def finished(self, scope: MutableMapping[str, Any], status: int | None, seconds: float) -> None:
        """Record an exchange; one without a status does not count."""
        self._in_progress.dec()
        if status is None:
            return
        method, route = scope["method"], self._template(scope)
        try:  # what record_request does, where that would be a call too many
            count = self._counts[method, route, STATUS[status]]
            duration = self._durations[method, route]
        except KeyError:
            self._record(method if method in METHODS else OTHER_METHOD, route, status, seconds)
        else:
            count.inc()
            duration.observe(seconds)

    def _is_metrics_path(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether servers that put the root in front of the path mean the metrics."""
        return self._metrics_path is not None and scope["path"] == scope["root_path"] + self._metrics_path
