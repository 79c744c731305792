"""Updates one counter, gauge and histogram from many threads that change places every microsecond; prints JSON.

The control does what the cells do with a call of Python in between, where threads may change places: it loses updates,
or else the stress has no power on this machine.
"""

from __future__ import annotations

import json
import platform
import sys
import sysconfig
import threading
from collections.abc import Callable

from sergas_metrics import MetricSpec
from sergas_metrics._cells import GIL_ENABLED
from sergas_metrics.types import Counter, Histogram

COUNTER = MetricSpec("c_total", "counter", "C.")
HISTOGRAM = MetricSpec("h", "histogram", "H.", buckets=(0.1, 1.0))
THREADS = 8
UPDATES = 10_000_000
"""Of all threads together, half to a counter and half to a histogram."""


class Control:
    """A counter that loses updates."""

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self) -> None:
        """Add 1, with a call between reading and writing."""
        self.value = _same(self.value) + 1.0


def _same(value: float) -> float:
    return value


def in_threads(work: Callable[[], object]) -> None:
    """Run work in all threads at once."""
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Run the stress."""
    sys.setswitchinterval(1e-6)
    counter, histogram, control = Counter(COUNTER).labels(), Histogram(HISTOGRAM).labels(), Control()
    each = UPDATES // THREADS // 2

    def work() -> None:
        inc, observe = counter.inc, histogram.observe
        for _ in range(each):
            inc()
            observe(0.5)

    def work_of_the_control() -> None:
        for _ in range(each // 10):
            control.inc()

    in_threads(work)
    in_threads(work_of_the_control)
    counts, total = histogram.snapshot()
    lost = each * THREADS - counter.value + each * THREADS - sum(counts) + abs(each * THREADS * 0.5 - total)
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    result = {
        "python": f"{platform.python_version()}{free}",
        "locked": not GIL_ENABLED,
        "updates": UPDATES,
        "lost": lost,
        "control": each // 10 * THREADS - control.value,
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
