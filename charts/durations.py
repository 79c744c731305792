"""Durations as Prometheus writes them."""

import re
from typing import Final

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def in_seconds(duration: str) -> int:
    """Seconds of a duration such as `1m30s`."""
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))
