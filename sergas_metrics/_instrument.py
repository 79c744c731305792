"""``instrument``: one line for FastAPI and Starlette."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ._collector import MetricsCollector
from ._middleware import MetricsMiddleware
from ._page import checked_token


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
    path: str | None = "/metrics",
    token: str | None = None,
) -> App:
    """Record every HTTP request of an application and serve its metrics.

    Call it after the application's other middleware is added: the last added is the outermost, and only that one sees
    what the others answer or take. ``path`` is then served without passing through them, authentication included.

    Args:
        app: A FastAPI or Starlette application that has not answered a request yet.
        collector: Where requests are recorded; one on the default registry when left out.
        path: Where metrics are served; ``None`` serves them nowhere, for a port of their own with ``serve``.
        token: If given, metrics are served only to requests with ``Authorization: Bearer <token>``.

    Returns:
        The application.

    Raises:
        TypeError: The application has no ``add_middleware``.
        RuntimeError: The application has started.
        ValueError: ``path`` does not begin with a slash, or the token is empty.
    """
    if not callable(getattr(app, "add_middleware", None)):
        raise TypeError(
            f"instrument() needs an application with add_middleware, such as FastAPI's, not {type(app).__name__}: "
            "wrap any other ASGI application yourself, app = MetricsMiddleware(app)"
        )
    if path is not None and not path.startswith("/"):
        raise ValueError(f'path must begin with a slash: write "/{path}"')
    app.add_middleware(
        MetricsMiddleware,
        collector=collector or MetricsCollector(),  # now, so that what is wrong with it is said here
        metrics_path=path,
        metrics_token=checked_token(token),
    )
    return app
