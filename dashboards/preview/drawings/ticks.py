"""Where the axes of a graph are marked, and how."""

import re
from datetime import UTC, datetime
from typing import Final

from matplotlib.ticker import MaxNLocator

from dashboards.preview.timing import Window
from dashboards.preview.units import written

HOUR: Final = 3600
DAY: Final = 86400
# Seconds between two ticks of time: the first of them that leaves each tick its room is taken.
TICKS: Final = (60, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY)
SECONDS: Final = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": HOUR, "d": DAY}
DECIMALS: Final = 10
KIBI: Final = 1024.0


def value_ticks(low: float, high: float, most: int, unit: str) -> tuple[list[float], list[str]]:
    """At most `most` steps of values that are round in their unit, all written with as many decimals as they need."""
    scale = round_scale(high, unit)
    found = [
        tick * scale for tick in MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low / scale, high / scale)
    ]
    ticks = [float(tick) for tick in found if low <= tick <= high]
    needed = next((count for count in range(DECIMALS) if _enough(ticks, unit, count)), DECIMALS)
    return ticks, [written(tick, unit, needed) for tick in ticks]


def round_scale(high: float, unit: str) -> float:
    """What a value is counted in when it is written: whole minutes, hours or days, or powers of 1,024."""
    if unit in SECONDS:
        seconds = high * SECONDS[unit]
        step = next((step for step in (7 * DAY, DAY, HOUR, 60) if seconds >= step), 1)
        return step / SECONDS[unit] if step > 1 else 1
    if unit == "bytes":
        return max((KIBI**power for power in range(6) if high >= KIBI**power), default=1.0)
    return 1


def _enough(ticks: list[float], unit: str, decimals: int) -> bool:
    """Whether nothing is lost with so few decimals."""
    pairs = ((_number(written(tick, unit, decimals)), _number(written(tick, unit, decimals + 4))) for tick in ticks)
    exact = all(abs(rough - fine) < 10.0 ** -(decimals + 3) for rough, fine in pairs)
    return exact and len({written(tick, unit, decimals) for tick in ticks}) == len(ticks)


def _number(text: str) -> float:
    found = re.match(r"-?[\d.]+", text)
    return float(found[0]) if found else 0.0


def time_ticks(window: Window, most: int) -> list[int]:
    """Round times within the window, at most `most` of them."""
    step = next((step for step in TICKS if window.seconds / step <= max(most, 1)), TICKS[-1])
    first = window.start + (-window.start) % step
    return list(range(first, window.end + 1, step))


def clock(time: float, seconds: int) -> str:
    """The time of day in UTC, or the day where days are shown."""
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M" if seconds <= 2 * DAY else "%d %b")
