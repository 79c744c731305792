"""``instrument``: one line for FastAPI and Starlette."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ._collector import MetricsCollector
from ._endpoint import checked_token
from ._middleware import MetricsMiddleware, Route, check_path


class Instrumentable(Protocol):
    """An application that takes ASGI middleware, as Starlette's and FastAPI's do."""

    @property
    def add_middleware(self) -> Callable[..., None]:
        """Puts a middleware around those already there."""


App = TypeVar("App", bound=Instrumentable)


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
    check_path(metrics_path)
    app.add_middleware(
        MetricsMiddleware,
        collector=collector or MetricsCollector(),  # now, so that what is wrong with it is said here
        metrics_path=metrics_path,
        metrics_token=checked_token(metrics_token),
        route=route,
    )
    return app
