"""The drills' modules on the path, and a Prometheus and a far end that are told what to say."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "examples" / "demo")]

from drills.running import running  # noqa: E402  after the path is set


@dataclass
class Place:
    """A Prometheus and a far end in one: what fires, and what has arrived."""

    alerts: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)

    def fire(self, alert: str, namespace: str, severity: str = "warning", state: str = "firing") -> None:
        labels = {"alertname": alert, "namespace": namespace, "severity": severity}
        self.alerts.append({"labels": labels, "state": state})

    def quiet(self) -> None:
        self.alerts.clear()

    def tell(self, alert: str, namespace: str, status: str, *receivers: str) -> None:
        for receiver in receivers:
            where = (
                {"kind": "slack", "channel": receiver} if receiver[0] == "#" else {"kind": "email", "to": [receiver]}
            )
            about = {"alerts": [alert], "text": f"in namespace {namespace}", "status": status}
            self.rows.append({"id": len(self.rows) + 1, **where, **about})

    # What the board asks of Prometheus and of the far end.
    def json(self, path: str) -> dict:
        assert path == "/api/v1/alerts"
        return {"data": {"alerts": list(self.alerts)}}

    def notifications(self, after: str = "0") -> list[dict]:
        return [row for row in self.rows if row["id"] > int(after)]


@dataclass(frozen=True)
class FakeStack:
    """As much of a stack as running drills needs."""

    place: Place

    @property
    def sink(self) -> Place:
        return self.place

    def server(self) -> Place:
        return self.place


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def outcome(place, monkeypatch):
    """Run one drill and give what came of it."""
    for name in ("FIRE_SECONDS", "DELIVER_SECONDS", "END_SECONDS", "READY_SECONDS"):
        monkeypatch.setattr(f"drills.running.{name}", 0.5)
    monkeypatch.setattr("drills.board.EVERY_SECONDS", 0.02)

    def run(drill):
        with running([drill], FakeStack(place)) as found:
            return found[drill].result()

    return run
