"""The application's side of its database."""

from __future__ import annotations

from .._families import Counter, Gauge, Histogram
from .._measure import Measurement
from .._store import Store


class DatabaseMetrics:
    """Metrics of the database as the application sees it; the server's own come from its exporter.

    Attributes:
        query_duration: ``sergas_database_query_duration_seconds{operation}``.
        errors: ``sergas_database_errors_total{error_type}``.
        pool_connections: ``sergas_database_pool_connections{state}``, state being ``in_use`` or ``idle``.
        pool_connections_max: ``sergas_database_pool_connections_max``.
    """

    def __init__(self, store: Store) -> None:
        self.query_duration = store.family("sergas_database_query_duration_seconds", Histogram)
        self.errors = store.family("sergas_database_errors_total", Counter)
        self.pool_connections = store.family("sergas_database_pool_connections", Gauge)
        self.pool_connections_max = store.family("sergas_database_pool_connections_max", Gauge)

    def query(self, operation: str) -> Measurement[None]:
        """Time a query and count its error if it raises.

        Args:
            operation: What the query does, such as ``select_account``: a name from a fixed set, never the SQL.
        """

        def end(_: None, error: BaseException | None, seconds: float) -> None:
            self.record_query(operation, seconds)
            if isinstance(error, Exception):
                self.record_error(error)

        return Measurement("database.query", end)

    def record_query(self, operation: str, seconds: float) -> None:
        """Observe how long a query took, in seconds."""
        self.query_duration.labels(operation).observe(seconds)

    def record_error(self, error: BaseException | type[BaseException] | str) -> None:
        """Count a database error by its class."""
        self.errors.labels(self.errors.error_types.name(error)).inc()

    def set_pool(self, in_use: int, idle: int, maximum: int) -> None:
        """Set the pool's connections in use and idle, and how many it may open at most."""
        self.pool_connections.labels("in_use").set(in_use)
        self.pool_connections.labels("idle").set(idle)
        self.pool_connections_max.set(maximum)
