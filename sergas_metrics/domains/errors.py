"""Errors of every kind."""

from __future__ import annotations

from typing import Literal, get_args

from .._families import Counter
from .._store import Store

Severity = Literal["critical", "error", "warning"]


class ErrorMetrics:
    """Metrics of errors, whatever part of the application they come from.

    Attributes:
        errors: ``sergas_errors_total{severity, error_type}``.
        unhandled_exceptions: ``sergas_unhandled_exceptions_total{error_type}``.
    """

    def __init__(self, store: Store) -> None:
        self.errors = store.family("sergas_errors_total", Counter)
        self.unhandled_exceptions = store.family("sergas_unhandled_exceptions_total", Counter)

    def record_error(self, error: BaseException | type[BaseException] | str, severity: Severity = "error") -> None:
        """Count an error by its class.

        Args:
            error: The exception, its class, or a name from a fixed set.
            severity: ``critical`` where somebody must act, ``error`` where work was lost, ``warning`` where it was not.

        Raises:
            ValueError: The severity is none of the three.
        """
        if severity not in get_args(Severity):
            raise ValueError(f"severity must be one of {', '.join(get_args(Severity))}, not {severity!r}")
        self.errors.labels(severity, self.errors.error_types.name(error)).inc()

    def record_unhandled(self, error: BaseException | type[BaseException] | str) -> None:
        """Count an exception that nothing handled, once here and once as a ``critical`` error.

        ``MetricsMiddleware`` does so for requests; call it where other work ends, as in a task's outermost ``except``.
        """
        self.unhandled_exceptions.labels(self.unhandled_exceptions.error_types.name(error)).inc()
        self.record_error(error, "critical")
