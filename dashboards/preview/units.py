"""Numbers as Grafana writes them in its units. Units it has and we do not use are written behind the plain number."""

import math
from collections.abc import Callable, Sequence
from typing import Final

# (from, divisor, suffix) in rising order.
_Scale = Sequence[tuple[float, float, str]]

_COUNTS: Final = ((0, 1, ""), (1e3, 1e3, "K"), (1e6, 1e6, "Mil"), (1e9, 1e9, "Bil"), (1e12, 1e12, "Tri"))
_METRIC: Final = ((0, 1, ""), (1e3, 1e3, "k"), (1e6, 1e6, "M"), (1e9, 1e9, "G"), (1e12, 1e12, "T"))
_SECONDS: Final = (
    (0, 1e-9, "ns"),
    (1e-6, 1e-6, "µs"),
    (1e-3, 1e-3, "ms"),
    (1, 1, "s"),
    (60, 60, "mins"),
    (3600, 3600, "hours"),
    (86400, 86400, "days"),
    (604800, 604800, "weeks"),
    (31557600, 31557600, "years"),
)
_BINARY: Final = tuple(
    (1024.0**power if power else 0, 1024.0**power, suffix)
    for power, suffix in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))
)
_DECIMAL: Final = tuple(
    (1000.0**power if power else 0, 1000.0**power, suffix)
    for power, suffix in enumerate(("B", "kB", "MB", "GB", "TB", "PB"))
)
_DURATIONS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_PER_SECOND: Final = {"reqps": "req/s", "rps": "rd/s", "ops": "ops/s", "cps": "c/s", "eps": "evt/s", "wps": "wr/s"}


def written(value: float, unit: str, decimals: int | None = None) -> str:
    """`value` in `unit`, an id of Grafana's such as `percentunit`, with three significant digits unless told.

    What is no number is written as Prometheus writes it: NaN, +Inf, -Inf.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{value:+.0f}".replace("inf", "Inf")
    return _FORMATS.get(unit, _behind(unit))(value, decimals)


def digits(value: float, decimals: int | None = None) -> str:
    """A plain number: whole ones without decimals, others with three significant digits, never in powers of ten."""
    if decimals is None:
        decimals = 0 if value == int(value) else min(max(2 - math.floor(math.log10(abs(value))), 0), 8)
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _scaled(scale: _Scale, gap: str = " ", behind: str = "", factor: float = 1) -> Callable[[float, int | None], str]:
    """Written in the greatest step of `scale` that it reaches. `factor` turns the unit into the scale's own."""

    def write(value: float, decimals: int | None) -> str:
        value *= factor
        size = abs(value)
        _, divisor, suffix = next((step for step in reversed(scale) if size >= step[0]), scale[0])
        if size == 0:
            divisor, suffix = next((divisor, suffix) for _, divisor, suffix in scale if divisor == 1)
        shown = f"{suffix} {behind}".strip()
        return f"{digits(value / divisor, decimals)}{gap}{shown}".strip()

    return write


def _percent(factor: float) -> Callable[[float, int | None], str]:
    return lambda value, decimals: f"{digits(value * factor, decimals)}%"


def _behind(unit: str) -> Callable[[float, int | None], str]:
    return lambda value, decimals: f"{digits(value, decimals)} {unit}".strip()


def _duration(value: float, _: int | None) -> str:
    """The two greatest parts, such as `1 day, 3 hours`."""
    left, parts = round(abs(value)), list[str]()
    for seconds, name in _DURATIONS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {name}{'s' if count != 1 else ''}")
    return ("-" if value < 0 and parts else "") + (", ".join(parts[:2]) or "0 seconds")


def _truth(yes: str, no: str) -> Callable[[float, int | None], str]:
    return lambda value, _: yes if value else no


_FORMATS: Final[dict[str, Callable[[float, int | None], str]]] = {
    "": digits,
    "none": digits,
    "short": _scaled(_COUNTS),
    "percent": _percent(1),
    "percentunit": _percent(100),
    "s": _scaled(_SECONDS),
    "ms": _scaled(_SECONDS, factor=1e-3),
    "m": _scaled(_SECONDS, factor=60),
    "h": _scaled(_SECONDS, factor=3600),
    "d": _scaled(_SECONDS, factor=86400),
    "dtdurations": _duration,
    "bytes": _scaled(_BINARY),
    "decbytes": _scaled(_DECIMAL),
    "Bps": _scaled([(start, divisor, f"{suffix}/s") for start, divisor, suffix in _DECIMAL]),
    "bool": _truth("True", "False"),
    "bool_yes_no": _truth("Yes", "No"),
    "bool_on_off": _truth("On", "Off"),
} | {unit: _scaled(_METRIC, behind=behind) for unit, behind in _PER_SECOND.items()}
