"""Status codes as label values."""

from __future__ import annotations

from typing import Final


class StatusTexts(dict[object, str]):
    """The text of every status, remembered where it is a code of HTTP: ``texts[200]`` is ``"200"``."""

    __slots__ = ()

    def __missing__(self, status: object) -> str:
        """Write a status; any other code or word is not remembered, for there is no end to them."""
        text = str(status)
        if isinstance(status, int) and 100 <= status <= 599:  # noqa: PLR2004  # HTTP's codes
            self[status] = text
        return text


STATUS: Final = StatusTexts()
