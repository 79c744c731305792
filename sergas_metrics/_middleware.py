"""``instrument`` for FastAPI and Starlette, and the middleware behind it: plain ASGI, for any framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from ._boundary import failed, guarded
from ._collector import MetricsCollector
from ._endpoint import READS, checked_token, metrics_app
from ._exchange import SCOPE_KEY, Exchange, Receive, Scope, Send
from ._routes import UNMATCHED, RouteTemplates
from ._store import publisher_of

Route = Callable[[Scope], str | None]
"""Gives the template of the route that answered, or ``None`` where none did."""

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Instrumentable(Protocol):
    """An application that takes ASGI middleware, as Starlette's and FastAPI's do."""

    @property
    def add_middleware(self) -> Callable[..., None]:
        """Puts a middleware around those already there."""


App = TypeVar("App", bound=Instrumentable)

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
        _check_path(metrics_path)
        collector = collector or MetricsCollector()
        publisher = publisher_of(collector.registry)
        self.app = app if publisher is None else publisher.around(app)
        self.owner: object = collector.http.requests
        self._record_request = collector.http.record_request
        self._record_unhandled = collector.errors.record_unhandled
        self._in_progress = collector.http.requests_in_progress.labels()
        self._template = route or RouteTemplates().of
        self._metrics_path = metrics_path or ""
        self._metrics = metrics_app(source=collector, metrics_token=metrics_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        app, exchange = self.app, None
        try:
            if scope["type"] == "http":
                path, outer = self._metrics_path, scope.get(SCOPE_KEY)
                if path and scope["path"].endswith(path) and self._asks_for_metrics(scope):
                    app = self._metrics
                elif outer is None or not outer.is_watched_for(self):
                    exchange = Exchange(scope, receive, send, self, outer)
                    self._in_progress.inc()
                    scope[SCOPE_KEY] = exchange
        except Exception:
            failed("http")
            exchange = None
        if exchange is None:
            await app(scope, receive, send)
            return
        try:
            await app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            guarded("http", self._failed, exchange, error)
            raise
        if not exchange.done:
            guarded("http", exchange.ended)

    def _failed(self, exchange: Exchange, error: BaseException) -> None:
        if exchange.ended(error):
            self._record_unhandled(error)

    def record(self, scope: Scope, status: int | None, seconds: float) -> None:
        """Record an exchange; one without a status does not count."""
        self._in_progress.dec()
        if status is None:
            return
        try:
            route = self._template(scope) or UNMATCHED
        except Exception:
            failed("route")
            route = UNMATCHED
        method = scope["method"]
        self._record_request(method if method in METHODS else OTHER_METHOD, route, status, seconds)

    def _asks_for_metrics(self, scope: Scope) -> bool:
        """Whether a request is for the metrics, also of servers that put the root in front of the path."""
        root = scope["path"].removesuffix(self._metrics_path)
        return root in ("", scope.get("root_path", "")) and scope["method"] in READS


def _check_path(metrics_path: str | None) -> None:
    """Check the path of the metrics.

    Raises:
        ValueError: It does not begin with a slash.
    """
    if metrics_path is not None and not metrics_path.startswith("/"):
        raise ValueError(f'metrics_path must begin with a slash: write "/{metrics_path}"')


def instrument(
    app: App,
    *,
    collector: MetricsCollector | None = None,
    metrics_path: str | None = "/metrics",
    metrics_token: str | None = None,
    route: Route | None = None,
) -> App:
    """Record every HTTP request of an application and serve its metrics.

    Call it after the application's other middleware is added: the last added is the outermost, and only that one sees
    what the others answer or take. ``metrics_path`` is then served without passing through them, authentication
    included.

    Args:
        app: A FastAPI or Starlette application that has not answered a request yet.
        collector: Where requests are recorded; one on the default registry when left out.
        metrics_path: Where metrics are served; ``None`` serves them nowhere, for a port of their own with ``serve``.
        metrics_token: If given, metrics are served only to requests with ``Authorization: Bearer <token>``.
        route: Gives the route's template from the scope, where the application is none of Starlette's or FastAPI's.

    Returns:
        The application.

    Raises:
        TypeError: The application has no ``add_middleware``.
        RuntimeError: The application has started.
        ValueError: ``metrics_path`` does not begin with a slash, or the token is empty.
    """
    if not callable(getattr(app, "add_middleware", None)):
        raise TypeError(
            f"instrument() needs an application with add_middleware, such as FastAPI's, not {type(app).__name__}: "
            "wrap any other ASGI application yourself, app = MetricsMiddleware(app)"
        )
    _check_path(metrics_path)
    app.add_middleware(
        MetricsMiddleware,
        collector=collector or MetricsCollector(),  # now, so that what is wrong with it is said here
        metrics_path=metrics_path,
        metrics_token=checked_token(metrics_token),
        route=route,
    )
    return app
