"""The table of a run: each event, how long until Synced and until Healthy, and who wrote how often."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from sergas_demo.places import CHECKOUT
from writes import Write, by_manager, parsed, those_that_matter

FILE = CHECKOUT / "build" / "argocd" / "run.json"


@dataclass
class Event:
    """A line of the table. `mark` notes a moment; writes are counted when the event is over."""

    name: str
    marks: dict[str, float] = field(default_factory=dict)
    managers: Counter[str] = field(default_factory=Counter)
    writes: list[Write] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def mark(self, name: str) -> None:
        """Note how many seconds it took until `name`, the first time."""
        self.marks.setdefault(name, round(time.monotonic() - self.began, 1))


class Ledger:
    """The events of a run."""

    def __init__(self, audit: Callable[[], str], namespaces: list[str]) -> None:
        self._audit = audit
        self._namespaces = namespaces
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

    def save(self) -> None:
        """Write build/argocd/run.json."""
        FILE.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(event) | {"writes": len(event.writes)} for event in self.events]
        FILE.write_text(json.dumps(rows, indent=2))

    def table(self) -> list[str]:
        """The table in Markdown."""
        lines = ["| Event | s to Synced | s to Healthy | Writes by field manager |", "|---|---:|---:|---|"]
        for event in self.events:
            who = ", ".join(f"{name} {count}" for name, count in event.managers.most_common()) or "none"
            others = {name: seconds for name, seconds in event.marks.items() if name not in ("Synced", "Healthy")}
            note = "".join(f"; {name} {seconds:g} s" for name, seconds in others.items())
            synced, healthy = (
                f"{event.marks[name]:g}" if name in event.marks else "" for name in ("Synced", "Healthy")
            )
            lines.append(f"| {event.name}{note} | {synced} | {healthy} | {who} |")
        return lines
