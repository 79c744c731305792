"""Processes as /proc shows them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process known by number and start time, so that a number used again is not mistaken for it."""

    pid: int
    started: int  # clock ticks since boot, field 22 of /proc/<pid>/stat


def find(pid: int) -> Process | None:
    """The running process of that number; a zombie counts as gone."""
    fields = _stat(pid)
    if fields is None or fields[0] in {"Z", "X"}:
        return None
    return Process(pid, int(fields[19]))


def parent(pid: int) -> int | None:
    """Number of the parent process, None when the process is gone."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()  # the program's name, in brackets, may hold spaces and brackets


def running(process: Process) -> bool:
    """Whether that very process runs."""
    return find(process.pid) == process


def pids() -> list[int]:
    """Numbers of all processes."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def arguments(pid: int) -> list[str]:
    """Command line of a process; empty when it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """Numbers of all processes below `pid`."""
    children: dict[int, list[int]] = {}
    for other in pids():
        above = parent(other)
        if above is not None:
            children.setdefault(above, []).append(other)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone already is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def end(processes: list[Process], grace: float) -> None:
    """Ask processes to end, wait up to `grace` seconds for all, then kill what is left."""
    for process in processes:
        if running(process):
            kill(process.pid, signal.SIGTERM)
    if not wait_gone(processes, grace):
        for process in processes:
            if running(process):
                kill(process.pid, signal.SIGKILL)
        wait_gone(processes, grace=5)


def wait_gone(processes: list[Process], grace: float) -> bool:
    """Whether all of them are gone within `grace` seconds."""
    deadline = time.monotonic() + grace
    while any(running(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
