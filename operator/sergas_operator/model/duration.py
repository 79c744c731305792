"""Prometheus durations, such as `1d12h`, as whole seconds."""

from __future__ import annotations

import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def to_seconds(duration: str) -> int:
    """Return the seconds in a duration of whole numbers with the units y, w, d, h, m and s."""
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([ywdhms])", duration))
