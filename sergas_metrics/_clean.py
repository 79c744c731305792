"""Label values as they are safe to keep: of bounded length, and without characters that break a line or a terminal."""

from __future__ import annotations

import re
from typing import Final

MAX_LENGTH: Final = 128
"""Characters of a label value. A longer one ends in an ellipsis."""

_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line separators, and halves of characters, which UTF-8 cannot hold."""


def cleaned(value: object) -> str:
    """A label value: text, with a replacement character for each that is not fit to print, and cut where too long."""
    text = _CONTROLS.sub("\ufffd", value if isinstance(value, str) else str(value))
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
