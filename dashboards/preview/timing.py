"""Over which time a panel asks, how finely, and what Grafana's variables stand for then."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dashboards.preview.board import Variable

SCRAPE_SECONDS: Final = 15
"""`timeInterval` of the data source: Grafana asks no finer, and takes rates over at least four of it."""

# From this many seconds on, the step is that: Grafana rounds to what reads well on an axis.
_STEPS: Final = (
    (0, 1),
    (1.5, 2),
    (3.5, 5),
    (7.5, 10),
    (12.5, 15),
    (17.5, 20),
    (25, 30),
    (45, 60),
    (90, 120),
    (210, 300),
    (450, 600),
    (750, 900),
    (1050, 1200),
    (1500, 1800),
    (2700, 3600),
    (5400, 7200),
    (9000, 10800),
    (16200, 21600),
    (32400, 43200),
    (86400, 86400),
)


@dataclass(frozen=True, slots=True)
class Window:
    """The time a panel shows.

    Attributes:
        end: Its end, in seconds since 1970.
        seconds: Its length.
        step: Seconds between two points of a range query.
    """

    end: int
    seconds: int
    step: int

    @property
    def start(self) -> int:
        return self.end - self.seconds


def window(end: int, seconds: int, points: int, shortest: int = 0) -> Window:
    """The window of a panel of so many points. Its ends fall on its step, as Grafana asks for them.

    `shortest` is the panel's own shortest step in seconds.
    """
    step = max(SCRAPE_SECONDS, shortest, rounded(seconds / points))
    return Window(end - end % step, seconds - seconds % step, step)


def rounded(seconds: float) -> int:
    """The step, in seconds, that is nearest to `seconds` among those that read well."""
    return _STEPS[bisect_right(_STEPS, (seconds, 86401)) - 1][1]


def rate_interval(step: int) -> int:
    """`$__rate_interval` in seconds: never fewer than four scrapes, and no gap from one point to the next."""
    return max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)


def filled(expr: str, window: Window, variables: Iterable[Variable]) -> str:
    """`expr` with every variable replaced; each of the dashboard's own stands at All.

    Raises:
        ValueError: naming a variable that nothing replaces.
    """
    values = {
        "__rate_interval": f"{rate_interval(window.step)}s",
        "__interval_ms": str(window.step * 1000),
        "__interval": f"{window.step}s",
        "__range_ms": str(window.seconds * 1000),
        "__range_s": str(window.seconds),
        "__range": f"{window.seconds}s",
        "__from": str(window.start * 1000),
        "__to": str(window.end * 1000),
    } | {variable.name: variable.everything for variable in variables}

    def value(match: re.Match[str]) -> str:
        name = match["name"] or match["braced"]
        if name.isdigit():  # a group of label_replace's pattern, which Grafana leaves alone too
            return match[0]
        if name not in values:
            raise ValueError(f"nothing replaces ${name} in {expr}: the dashboard has no such variable")
        return values[name]

    return re.sub(r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?::\w+)?\})", value, expr)
