"""Status codes as label values."""

from __future__ import annotations

from typing import Final

STATUS: Final = {code: str(code) for code in range(100, 600)}
"""The text of every code of HTTP, made once."""


def status_text(status: object) -> str:
    """The text of any status, be it a code or a word."""
    return STATUS.get(status) or str(status)  # type: ignore[call-overload]  # asked for words too
