"""The times of the example: a Tuesday, the same whenever it is drawn."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

END: Final = int(datetime(2026, 11, 24, 15, tzinfo=UTC).timestamp())
HOUR: Final = 3600
DAY: Final = 24 * HOUR
# What is shown in detail, and what counts over a day need before it.
FINE_SECONDS: Final = 4 * HOUR
ALL_SECONDS: Final = 27 * HOUR
FINE_STEP: Final = 15
COARSE_STEP: Final = 120

START: Final = END - ALL_SECONDS
FINE_START: Final = END - FINE_SECONDS
TIMES: Final[Values] = np.concatenate(
    [np.arange(START, FINE_START, COARSE_STEP), np.arange(FINE_START, END + 1, FINE_STEP)]
).astype(float)
STEPS: Final[Values] = np.diff(TIMES, prepend=START - COARSE_STEP)
"""Seconds since the moment before."""
