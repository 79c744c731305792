"""The requests that an API server answered, read from its audit log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

OPERATOR, ADMIN = "sergas-operator", "admin"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
READS = frozenset({"get", "list"})


@dataclass(frozen=True)
class Request:
    """One request. `received` and `answered` are Unix times of the API server, in seconds."""

    user: str
    verb: str
    resource: str
    name: str
    received: float
    answered: float


class Requests:
    """Reads the audit log from where it ends now."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size
        self._rest = b""

    def new(self) -> list[Request]:
        """Return the requests since the last call."""
        with self._log.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        self._offset += len(text)
        *lines, self._rest = (self._rest + text).split(b"\n")
        return [_request(json.loads(line)) for line in lines]

    def until(self, holds: Callable[[Sequence[Request]], Any], what: str, seconds: float = 30.0) -> list[Request]:
        """Return the requests since the last call once they satisfy `holds`.

        Raises:
            TimeoutError: not within `seconds`.
        """
        found = self.new()
        deadline = time.monotonic() + seconds
        while not holds(found):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds:g} s: {what}")
            time.sleep(0.02)
            found += self.new()
        return found

    def until_quiet(self, counts: Callable[[Request], bool], seconds: float, limit: float = 300.0) -> list[Request]:
        """Return the requests since the last call once none that counts was answered for `seconds`.

        Raises:
            TimeoutError: such requests did not end within `limit` seconds.
        """
        found, last, deadline = self.new(), time.monotonic(), time.monotonic() + limit
        while time.monotonic() - last < seconds:
            if time.monotonic() > deadline:
                raise TimeoutError(f"requests did not end within {limit:g} s")
            time.sleep(0.05)
            more = self.new()
            found += more
            if any(counts(request) for request in more):
                last = time.monotonic()
        return found


def is_operators(request: Request) -> bool:
    """Whether the operator sent it for a SergasMonitoring: requests about its Lease do not count."""
    return request.user == OPERATOR and request.resource != "leases"


def is_write(request: Request) -> bool:
    """Whether the operator wrote something other than its Lease."""
    return is_operators(request) and request.verb in WRITES


def is_read(request: Request) -> bool:
    """Whether the operator read something other than its Lease. Watches do not count."""
    return is_operators(request) and request.verb in READS


def most_in_a_second(requests: Iterable[Request]) -> int:
    """Return the largest number of requests that were received within one second."""
    times = sorted(request.received for request in requests)
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def _request(event: dict[str, Any]) -> Request:
    reference = event.get("objectRef") or {}
    received, answered = (
        datetime.fromisoformat(event[field]).timestamp() for field in ("requestReceivedTimestamp", "stageTimestamp")
    )
    resource, name = reference.get("resource", ""), reference.get("name", "")
    return Request(event["user"]["username"], event["verb"], resource, name, received, answered)
