"""HTTP requests that the application answers."""

from __future__ import annotations

from .._families import Counter, Gauge, Histogram
from .._labels import status_text
from .._store import Store


class HTTPMetrics:
    """HTTP metrics, recorded by ``instrument`` and ``MetricsMiddleware``; call them for a server of another kind.

    Attributes:
        requests: ``sergas_http_requests_total{method, route, status}``.
        request_duration: ``sergas_http_request_duration_seconds{method, route}``.
        requests_in_progress: ``sergas_http_requests_in_progress``.
    """

    def __init__(self, store: Store) -> None:
        self.requests = store.family("sergas_http_requests_total", Counter)
        self.request_duration = store.family("sergas_http_request_duration_seconds", Histogram)
        self.requests_in_progress = store.family("sergas_http_requests_in_progress", Gauge)

    def record_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request and its duration.

        Args:
            method: The HTTP method, in capitals.
            route: The route's template, such as ``/accounts/{account_id}``: never the path, which has no bound.
            status: The status code.
            seconds: From the request's start to the last byte of the response.
        """
        self.requests.cells[method, route, status_text(status)].inc()
        self.request_duration.cells[method, route].observe(seconds)
