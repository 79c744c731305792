"""Processes of a test: started with a log each, waited for, ended."""

import socket
import subprocess
from pathlib import Path

import httpx
from sergas_demo.waiting import NotYet, until

STOP_SECONDS = 5
LOG_LINES = 25


class DiedError(Exception):
    """A process ended though nobody asked it to; the text ends with its log."""


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """Running processes by name; the name is what Argo CD's one program takes for the part it is to be."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, name: str, command: list[str], environment: dict[str, str], stdin: str = "") -> None:
        """Start a process."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(
                command,
                env=environment | {"ARGOCD_BINARY_NAME": name},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._running[name] = started
        if started.stdin:
            started.stdin.write(stdin.encode())
            started.stdin.close()

    def wait_healthy(self, name: str, url: str, seconds: float) -> None:
        """Return when `url` answers with 200.

        Raises:
            DiedError: when the process ended first.
            NotInTimeError: after the deadline.
        """

        def look() -> None:
            if self._running[name].poll() is not None:
                raise DiedError(f"{name} ended with {self._running[name].returncode}:\n{self.tail(name)}")
            answer = httpx.get(url, timeout=2)
            if answer.status_code != httpx.codes.OK:
                raise NotYet(f"{url} answers {answer.status_code}: {answer.text.strip()}")

        until(f"The start of {name}", look, seconds=seconds)

    def names(self) -> list[str]:
        """Of all that were started."""
        return list(self._running)

    def tail(self, name: str) -> str:
        """The end of a log."""
        return "\n".join((self.logs / f"{name}.log").read_text(errors="replace").splitlines()[-LOG_LINES:])

    def memory(self) -> dict[str, float]:
        """Resident memory of each process in MiB."""
        found = {}
        for name, process in self._running.items():
            status = Path(f"/proc/{process.pid}/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            found[name] = int(line.split()[1]) / 1024
        return found

    def stop(self) -> None:
        """End them, the last one first."""
        for process in reversed(self._running.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
