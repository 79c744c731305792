"""Prometheus metrics of the Sergas Super Account Manager, and of the application's own.

``MetricsCollector`` records them, ``instrument`` puts it into a FastAPI or Starlette application, ``serve`` into any
other process. Durations are in seconds throughout.
"""

from ._collector import MetricsCollector
from ._decorators import count_errors, track_in_progress, track_time
from ._endpoint import metrics_app, serve
from ._family import OVERFLOW
from ._middleware import MetricsMiddleware, instrument
from ._push import PushError, push
from ._render import render
from ._routes import UNMATCHED
from .catalogue import CATALOGUE, MetricSpec

__all__ = [
    "CATALOGUE",
    "OVERFLOW",
    "UNMATCHED",
    "MetricSpec",
    "MetricsCollector",
    "MetricsMiddleware",
    "PushError",
    "count_errors",
    "instrument",
    "metrics_app",
    "push",
    "render",
    "serve",
    "track_in_progress",
    "track_time",
]
