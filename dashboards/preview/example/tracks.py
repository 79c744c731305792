"""Series of the example, made of rates and levels, with the same chance in them every time."""

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from dashboards.preview.example.clock import STEPS, TIMES, Values
from dashboards.preview.example.story import RELEASE

Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Track:
    """One series: its name, its labels, and its value at each of `TIMES`."""

    name: str
    labels: Labels
    values: Values = field(repr=False)


def chance(name: str, labels: Labels) -> np.random.Generator:
    """A source of chance that belongs to one series."""
    return np.random.default_rng(zlib.crc32(f"{name}{sorted(labels.items())}".encode()))


def rounded(values: Values, decimals: int = 0) -> Values:
    return np.asarray(np.round(values, decimals), dtype=np.float64)


def counter(name: str, labels: Labels, rate: Values, *, restarts: bool = True) -> Track:
    """Events at `rate` a second, counted from 0 again at the release unless the program is not released with it."""
    events = chance(name, labels).poisson(np.maximum(rate, 0) * STEPS)
    return Track(name, labels, _reset(np.cumsum(events).astype(float), restarts=restarts))


def spent(name: str, labels: Labels, rate: Values) -> Track:
    """A counter of what need not be whole, such as seconds of CPU."""
    noise = chance(name, labels).normal(1, 0.04, len(TIMES))
    return Track(name, labels, rounded(np.cumsum(np.maximum(rate * noise, 0) * STEPS), 3))


def gauge(name: str, labels: Labels, level: Values, noise: float = 0.0) -> Track:
    """`level`, with chance of that share of it."""
    wobble = chance(name, labels).normal(1, noise, len(TIMES)) if noise else np.ones(len(TIMES))
    return Track(name, labels, rounded(np.maximum(level * wobble, 0), 4))


def histogram(
    name: str, labels: Labels, rate: Values, median: Values, buckets: Sequence[float], *, sigma: float = 0.7
) -> Iterator[Track]:
    """Buckets, sum and count of events at `rate` whose values are spread lognormally about `median`."""
    events = chance(name, labels).poisson(np.maximum(rate, 0) * STEPS).astype(float)
    for bound in buckets:
        below = events * _share_below(bound, median, sigma)
        yield Track(f"{name}_bucket", labels | {"le": f"{bound:g}"}, _reset(rounded(np.cumsum(below))))
    total = _reset(np.cumsum(events))
    yield Track(f"{name}_bucket", labels | {"le": "+Inf"}, total)
    yield Track(f"{name}_count", labels, total)
    yield Track(f"{name}_sum", labels, _reset(rounded(np.cumsum(events * median * math.exp(sigma**2 / 2)), 4)))


def _share_below(bound: float, median: Values, sigma: float) -> Values:
    """The share of a lognormal spread below `bound`; the error function by its well-known close approximation."""
    z = np.log(bound / median) / sigma
    return np.asarray(1 / (1 + np.exp(-(1.5976 * z + 0.070566 * z**3))), dtype=np.float64)


def _reset(total: Values, *, restarts: bool = True) -> Values:
    if not restarts:
        return total
    at = int(np.searchsorted(TIMES, RELEASE))
    return np.concatenate([total[:at], total[at:] - total[at]])
