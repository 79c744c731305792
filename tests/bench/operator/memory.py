"""Samples the resident memory of a process."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

INTERVAL_SECONDS = 0.1
KIB_PER_MIB = 1024


class MemorySampler:
    """Reads VmRSS and VmHWM of a process ten times a second in a thread, until `stop` or until the process ends.

    The kernel maintains VmHWM, the largest resident size so far, so no peak between two samples is missed.

    Attributes:
        samples: pairs of a time (time.monotonic, in seconds) and the resident size in MiB.
        peak: the largest resident size in MiB.
    """

    def __init__(self, pid: int) -> None:
        self.samples: list[tuple[float, float]] = []
        self.peak = 0.0
        self._status = Path(f"/proc/{pid}/status")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the sampling."""
        self._stopped.set()
        self._thread.join()

    @property
    def resident(self) -> float:
        """The newest resident size in MiB."""
        return self.samples[-1][1]

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            try:
                text = self._status.read_text()
            except OSError:
                return
            sizes = {name: int(kib) / KIB_PER_MIB for name, kib in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", text)}
            if not sizes:  # a process that has ended and was not waited for
                return
            self.samples.append((time.monotonic(), sizes["VmRSS"]))
            self.peak = max(self.peak, *sizes.values())
