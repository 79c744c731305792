"""What Prometheus says and what arrives at the far end, each with the moment it was first seen."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

import httpx
from sergas_demo.kube import Web
from sergas_demo.sink import Notification, Sink
from sergas_demo.waiting import NotInTimeError, NotYet

from drills.receivers import reached, says

Seen = TypeVar("Seen")
Key = tuple[str, str, str]
"""An alert's name, its namespace and its severity."""

EVERY_SECONDS = 0.5


class Board:
    """Watches one Prometheus and one far end in a thread of its own. Use as a context manager.

    Many drills look at the same two places: they ask the board, which asks each place twice a second.

    Attributes:
        began: When it began to watch, by time.monotonic(). What had arrived by then counts as arrived just before.
    """

    def __init__(self, server: Callable[[], Web], sink: Sink) -> None:
        self._server = server
        self._sink = sink
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="board", daemon=True)
        self._firing: dict[Key, float] = {}
        self._ever: set[Key] = set()
        self._looked = time.monotonic()
        self._last = "0"
        self._messages: list[tuple[float, Notification]] = []
        self._keep(sink.notifications(), self._looked)
        self.began = time.monotonic()
        self.trouble = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def wait(self, what: str, look: Callable[[], Seen], seconds: float) -> Seen:
        """Wait until `look` no longer raises NotYet, and return what it returns.

        Raises:
            NotInTimeError: It still does after `seconds`.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                try:
                    return look()
                except NotYet as seen:
                    account = f"{seen}{f'; {self.trouble}' if self.trouble else ''}"
                if time.monotonic() > deadline:
                    raise NotInTimeError(f"{what} did not happen within {seconds:g} s; last seen: {account}")
                self._changed.wait(EVERY_SECONDS)

    def firing(self, key: Key) -> float:
        """Since when an alert fires, by time.monotonic().

        Raises:
            NotYet: It does not.
        """
        if key not in self._firing:
            raise NotYet(f"{'/'.join(key)} does not fire; firing: {_names(self._firing)}")
        return self._firing[key]

    def quiet(self, key: Key) -> float:
        """The moment at which an alert was last seen not to fire.

        Raises:
            NotYet: It fires.
        """
        if key in self._firing:
            raise NotYet(f"{'/'.join(key)} still fires")
        return self._looked

    def all_told(self, key: Key, status: str, wanted: frozenset[str], since: float) -> float:
        """The moment at which the last of the receivers wanted had a message of this status about an alert.

        Raises:
            NotYet: One has none.
        """
        told = self.told(key, status, since)
        missing = wanted - told.keys()
        if missing:
            raise NotYet(f"{status} {key[0]} is not yet at {', '.join(sorted(missing))}")
        return max((told[name] for name in wanted), default=self._looked)

    def told(self, key: Key, status: str, since: float) -> dict[str, float]:
        """Who has been told of an alert since a moment, and when first."""
        alert, namespace, _ = key
        first: dict[str, float] = {}
        for at, row in self._messages:
            if at >= since and status in says(row, alert, namespace):
                first.setdefault(reached(row), at)
        return first

    def severities(self, key: Key) -> set[str]:
        """The severities at which an alert of this name and namespace has ever fired."""
        return {severity for alert, namespace, severity in self._ever if (alert, namespace) == key[:2]}

    def _watch(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            try:
                firing = _firing(self._server())
                arrived = self._sink.notifications(after=self._last)
            except (httpx.HTTPError, NotYet) as error:
                self.trouble = str(error)
                continue
            with self._changed:
                self.trouble = ""
                self._looked = now = time.monotonic()
                self._firing = {key: self._firing.get(key, now) for key in firing}
                self._ever |= firing
                self._keep(arrived, now)
                self._changed.notify_all()

    def _keep(self, arrived: list[Notification], at: float) -> None:
        self._messages += [(at, row) for row in arrived]
        if arrived:
            self._last = str(arrived[-1]["id"])


def _firing(server: Web) -> set[Key]:
    alerts = server.json("/api/v1/alerts")["data"]["alerts"]
    return {
        (item["labels"]["alertname"], item["labels"].get("namespace", ""), item["labels"].get("severity", ""))
        for item in alerts
        if item["state"] == "firing"
    }


def _names(keys: Iterable[Key]) -> str:
    by_namespace: dict[str, set[str]] = defaultdict(set)
    for alert, namespace, _ in keys:
        by_namespace[namespace].add(alert)
    return "; ".join(f"{where}: {', '.join(sorted(names))}" for where, names in sorted(by_namespace.items()))
