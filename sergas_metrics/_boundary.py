"""The boundary between the application and what is recorded about it: nothing that fails behind it reaches the former.

The middleware, decorators and context managers record through it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

_log = logging.getLogger("sergas_metrics")

ERRORS: Final = "sergas_metrics_errors_total"
"""Counts failures of the library in each registry, by the place where one happened."""

counters: Final[WeakSet[Any]] = WeakSet()
"""The counter ``ERRORS`` of every registry."""

_logged: Final[set[str]] = set()


def guarded(where: str, record: Callable[..., object], *args: object) -> None:
    """Record something, and count and log what fails instead of raising it.

    Args:
        where: The place, from a fixed set: the label of ``sergas_metrics_errors_total``.
        record: What records.
        *args: Its arguments.
    """
    try:
        record(*args)
    except Exception:
        failed(where)


def failed(where: str) -> None:
    """Count a failure, and log it with its traceback the first time it happens at this place."""
    with suppress(Exception):
        for counter in list(counters):
            counter.labels(where).inc()
    if where not in _logged:
        _logged.add(where)
        with suppress(Exception):
            _log.exception("cannot record metrics of %s; failures are counted in %s", where, ERRORS)
