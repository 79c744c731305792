"""Which run of an application a process belongs to: that of the process which started it."""

from __future__ import annotations

import os
from pathlib import Path


def current_run() -> str:
    """What all workers of one master share, and no two masters: the master's number and when it started.

    A process that nobody in its container started is a run of its own. Where there is no ``/proc`` the number alone
    has to do.
    """
    master = os.getppid() or os.getpid()
    return f"{_boot()} {master} {_started(master)}"


def _started(process: int) -> str:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    # The name stands in parentheses and may hold any character, parentheses included.
    return status.rpartition(")")[2].split()[19]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
