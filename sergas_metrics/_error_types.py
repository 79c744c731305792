"""Names of exception classes as label values, a bounded number of them."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"


class ErrorTypes:
    """Names exception classes until a limit is reached, and calls the rest ``other``.

    Args:
        limit: How many different names are given out. Code that makes classes as it runs cannot exceed it.
    """

    def __init__(self, limit: int = 50) -> None:
        self._limit = limit
        self._names: set[str] = set()

    def name(self, error: BaseException | type[BaseException] | str) -> str:
        """The label value of an error: the name of its class, or ``other`` once the limit is reached.

        Args:
            error: An exception, an exception class, or a name of the caller's own.
        """
        name = _class_name(error)
        if name in self._names:
            return name
        if len(self._names) >= self._limit:
            return OTHER
        self._names.add(name)
        return name


def _class_name(error: BaseException | type[BaseException] | str) -> str:
    if isinstance(error, str):
        return error
    return error.__name__ if isinstance(error, type) else type(error).__name__
