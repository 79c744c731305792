"""A month of objectives before the example's day, so that budgets over 30 days have something to be of."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from dashboards.preview.example.application import NAMESPACE
from dashboards.preview.example.clock import DAY, START
from dashboards.preview.example.story import load
from dashboards.preview.example.tracks import Labels, chance

EVENTS: Final = "namespace_slo:sergas_slo_events:rate5m"
BAD: Final = "namespace_slo:sergas_slo_bad_events:rate5m"
STEP: Final = 30
# Events a second at full load, and the share of them that is bad: a part of what each objective allows.
SHARES: Final = {
    "apiAvailability": (42.0, 0.0003),
    "apiLatency": (42.0, 0.018),
    "syncFreshness": (0.0, 0.004),
    "agentSuccess": (4.8, 0.012),
}

Samples = Iterator[tuple[float, float]]


def month() -> Iterator[tuple[str, Labels, Samples]]:
    """(name, labels, samples) of events and bad events of each objective, every 30 s for 29 days."""
    times = np.arange(START - 29 * DAY, START, STEP, dtype=float)
    for slo, (rate, share) in SHARES.items():
        labels = {"namespace": NAMESPACE, "slo": slo}
        events = rate * load(times) if rate else np.ones(len(times))
        bad = events * np.clip(chance(slo, labels).gamma(0.3, share / 0.3, len(times)), 0, 1)
        yield EVENTS, labels, zip(times.tolist(), events.tolist(), strict=True)
        yield BAD, labels, zip(times.tolist(), bad.tolist(), strict=True)
