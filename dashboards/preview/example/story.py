"""What happens in the example: a working day, a release at five to one, and an hour later Zoho refuses calls."""

from typing import Final

import numpy as np

from dashboards.preview.example.clock import DAY, END, HOUR, TIMES, Values

MINUTE: Final = 60
RELEASE: Final = END - 125 * MINUTE
INCIDENT: Final = END - 85 * MINUTE
RECOVERY: Final = END - 55 * MINUTE
RAMP_SECONDS: Final = 4 * MINUTE


def load(times: Values = TIMES) -> Values:
    """How busy the application is: 1 in the early afternoon, a tenth of it at night, with slow ripples."""
    hour = (times % DAY) / HOUR
    day = np.exp(-(((hour - 13.5) / 4.2) ** 2))
    ripples = 0.05 * np.sin(times / 413) + 0.03 * np.sin(times / 157)
    return 0.1 + 0.9 * day + ripples * (0.2 + day)


def incident(times: Values = TIMES) -> Values:
    """How bad it is: 0 on most days, 1 at the height of the incident."""
    up, down = (times - INCIDENT) / RAMP_SECONDS, (RECOVERY - times) / RAMP_SECONDS
    return np.clip(np.minimum(up, down), 0, 1)


def backlog(times: Values = TIMES) -> Values:
    """Work that waits: it piles up while the incident lasts, and is worked off within half an hour."""
    rising = np.clip((times - INCIDENT) / (RECOVERY - INCIDENT), 0, 1)
    falling = np.clip(1 - (times - RECOVERY) / (30 * MINUTE), 0, 1)
    return np.minimum(rising, falling)


def warming(times: Values = TIMES) -> Values:
    """1 at the release, when the caches are empty, fading within a quarter of an hour."""
    since = times - RELEASE
    return np.where(since < 0, 0.0, np.exp(-np.maximum(since, 0) / (5 * MINUTE)))
