"""What a run leaves: each event, how long until Synced and until Healthy, and who wrote how often to what."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sergas_demo.kube import Object
from sergas_demo.places import CHECKOUT
from writes import Write, by_manager, parsed, those_that_matter

FILE = CHECKOUT / "build" / "e2e" / "argocd.json"


@dataclass
class Event:
    """A line of the table. `mark` notes a moment; writes are counted when the event is over."""

    name: str
    marks: dict[str, float] = field(default_factory=dict)
    managers: Counter[str] = field(default_factory=Counter)
    writes: list[Write] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    over: bool = False

    def mark(self, name: str) -> None:
        """Note how many seconds it took until `name`, the first time."""
        self.marks.setdefault(name, round(time.monotonic() - self.began, 1))

    def row(self) -> Object:
        """What is kept of it: `writes` counts by field manager and object."""
        counts = Counter((write.manager, write.target) for write in self.writes)
        writes = [{"manager": who, "object": what, "writes": count} for (who, what), count in sorted(counts.items())]
        return {"event": self.name, "over": self.over, "seconds": self.marks, "writes": writes}


class Ledger:
    """The events of a run."""

    def __init__(self, audit: Callable[[], str], namespaces: list[str]) -> None:
        self._audit = audit
        self._namespaces = namespaces
        self._began = time.monotonic()
        self.events: list[Event] = []

    @contextmanager
    def event(self, name: str) -> Iterator[Event]:
        """Time an event and count the writes to what is deployed while it lasts."""
        start = len(self._audit().splitlines())
        event = Event(name)
        self.events.append(event)
        yield event
        event.writes = those_that_matter(parsed(self._audit().splitlines()[start:]), self._namespaces)
        event.managers = by_manager(event.writes)
        event.over = True

    def rows(self) -> list[Object]:
        """Every event so far."""
        return [event.row() for event in self.events]

    def save(self) -> None:
        """Write build/e2e/argocd.json, from which `make prove-argocd` writes a page."""
        FILE.parent.mkdir(parents=True, exist_ok=True)
        run = {"seconds": round(time.monotonic() - self._began), "events": self.rows()}
        FILE.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
