"""Label values: safe to keep, and a bounded number of them for errors."""

from __future__ import annotations

import re
from typing import Final

MAX_LENGTH: Final = 128
"""Characters of a label value. A longer one ends in an ellipsis."""

OTHER: Final = "other"
"""What errors are called beyond the limit of ``ErrorTypes``."""

STATUS: Final = {code: str(code) for code in range(100, 600)}
"""The text of every code of HTTP, made once."""

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line separators, and halves of characters, which UTF-8 cannot hold."""


def cleaned(value: object) -> str:
    """A label value: text, with a replacement character for each that is not fit to print, and cut where too long."""
    text = _CONTROLS.sub("\ufffd", value if isinstance(value, str) else str(value))
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"


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
        name = error if isinstance(error, str) else (error if isinstance(error, type) else type(error)).__name__
        if name not in self._names:
            if len(self._names) >= self._limit:
                return OTHER
            self._names.add(name)
        return name
