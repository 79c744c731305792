"""The alerts on disk, and how far each receiver has been told. SQLite, one file, one connection.

What `take` has returned from survives a power cut. At most one row of an alert is open, that is firing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sergas_digest.alert import Alert

FILE = "digest.sqlite"
ROWS = 10_000
# Two Prometheus replicas begin the same alert within a scrape and an evaluation of each other.
SAME_SECONDS = 60.0
# An alert that goes on is told again every hour; one not heard of for so long has ended without a word.
SILENT_SECONDS = 3 * 3600.0
# How long an alert that all have been told of is remembered: another Alertmanager may yet tell of its end.
LINGER_SECONDS = 3600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    starts REAL NOT NULL,
    ends REAL,
    heard REAL NOT NULL,
    seq INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_fingerprint ON alerts (fingerprint, starts);
CREATE TABLE IF NOT EXISTS receivers (
    name TEXT PRIMARY KEY,
    told INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    boundary INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO counters VALUES ('seq', 0), ('dropped', 0);
"""


@dataclass(frozen=True)
class Pending:
    """What a receiver has not been told: alerts that are news or still fire, oldest first.

    Attributes:
        alerts: them.
        upto: what to call `told` with once they have been told.
        dropped: how many more there were no room for.
        dropped_upto: likewise.
    """

    alerts: tuple[Alert, ...]
    upto: int
    dropped: int
    dropped_upto: int


class Store:
    """One digest's alerts. Not to be used by two threads at a time."""

    def __init__(self, folder: Path, rows: int = ROWS) -> None:
        self._rows = rows
        self._db = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        # One process alone opens the file; this also spares the shared memory that network volumes have not.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        # There is no other folder it may write to.
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def take(self, alerts: Iterable[Alert], now: float) -> int:
        """Keeps what is new in `alerts`, all or nothing, and returns how many there was no room for."""
        with self._transaction():
            dropped = sum(not self._take(alert, now) for alert in alerts)
            self._db.execute("UPDATE counters SET value = value + ? WHERE name = 'dropped'", (dropped,))
        return dropped

    def _take(self, alert: Alert, now: float) -> bool:
        known = self._known(alert)
        if known is None:
            return self._insert(alert, now)
        row, starts, ends = known
        if ends == alert.ends or (ends is not None and alert.ends is not None):
            # Told again, by another Alertmanager or because it goes on.
            self._db.execute(
                "UPDATE alerts SET heard = ?, starts = min(starts, ?) WHERE id = ?", (now, alert.starts, row)
            )
            return True
        self._db.execute(
            "UPDATE alerts SET heard = ?, starts = ?, ends = ?, seq = ? WHERE id = ?",
            (now, min(starts, alert.starts), alert.ends, self._next(), row),
        )
        return True

    def _known(self, alert: Alert) -> tuple[int, float, float | None] | None:
        """The row of this alert: the open one, or the one that began when it did."""
        rows = self._db.execute(
            "SELECT id, starts, ends FROM alerts WHERE fingerprint = ? AND (ends IS NULL OR abs(starts - ?) <= ?) "
            "ORDER BY ends IS NOT NULL, abs(starts - ?)",
            (alert.fingerprint, alert.starts, SAME_SECONDS, alert.starts),
        ).fetchall()
        for row, starts, ends in rows:
            # The end of an earlier time may come late, while the alert fires again.
            if ends is not None or alert.ends is None or alert.ends >= starts:
                return int(row), float(starts), None if ends is None else float(ends)
        return None

    def _insert(self, alert: Alert, now: float) -> bool:
        if self._count() >= self._rows:
            self._prune(now)
            if self._count() >= self._rows:
                return False
        self._db.execute(
            "INSERT INTO alerts (fingerprint, starts, ends, heard, seq, labels, annotations) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(alert.fingerprint, alert.starts, alert.ends, now, self._next()),
                *(json.dumps(alert.labels), json.dumps(alert.annotations)),
            ),
        )
        return True

    def register(self, names: Sequence[str], boundary: int) -> None:
        """Makes these the receivers: a new one is told at the next boundary, one that is gone holds up nothing."""
        with self._transaction():
            marks = ", ".join("?" for _ in names)
            self._db.execute(f"DELETE FROM receivers WHERE name NOT IN ({marks})", list(names))  # noqa: S608  # marks
            dropped = self._counter("dropped")
            self._db.executemany(
                "INSERT OR IGNORE INTO receivers VALUES (?, 0, ?, ?)", [(name, dropped, boundary) for name in names]
            )

    def boundary(self, name: str) -> int:
        """The last boundary at which a receiver was told, or there was nothing to tell."""
        return int(self._db.execute("SELECT boundary FROM receivers WHERE name = ?", (name,)).fetchone()[0])

    def pending(self, name: str) -> Pending:
        """What a receiver is to be told."""
        told, dropped = self._db.execute("SELECT told, dropped FROM receivers WHERE name = ?", (name,)).fetchone()
        rows = self._db.execute(
            "SELECT fingerprint, starts, ends, labels, annotations FROM alerts WHERE seq > ? OR ends IS NULL "
            "ORDER BY starts, id",
            (told,),
        )
        alerts = tuple(
            Alert(fingerprint, starts, ends, json.loads(labels), json.loads(annotations))
            for fingerprint, starts, ends, labels, annotations in rows
        )
        total = self._counter("dropped")
        return Pending(alerts, self._counter("seq"), total - dropped, total)

    def told(self, name: str, pending: Pending, boundary: int, now: float) -> None:
        """Notes that a receiver has `pending`, and forgets what everyone has had for an hour."""
        with self._transaction():
            self._db.execute(
                "UPDATE receivers SET told = ?, dropped = ?, boundary = ? WHERE name = ?",
                (pending.upto, pending.dropped_upto, boundary, name),
            )
            self._prune(now - LINGER_SECONDS)

    def give_up_on_the_silent(self, now: float) -> None:
        """Ends alerts nobody has spoken of for long: their end was lost with the Alertmanager that knew it."""
        with self._transaction():
            silent = self._db.execute(
                "SELECT id FROM alerts WHERE ends IS NULL AND heard < ?", (now - SILENT_SECONDS,)
            ).fetchall()
            for (row,) in silent:
                self._db.execute("UPDATE alerts SET ends = heard, seq = ? WHERE id = ?", (self._next(), row))

    def waiting(self) -> int:
        """How many alerts some receiver has not been told."""
        return int(
            self._db.execute(
                "SELECT count(*) FROM alerts WHERE seq > coalesce((SELECT min(told) FROM receivers), 0)"
            ).fetchone()[0]
        )

    def _prune(self, before: float) -> None:
        """Forgets what everyone has been told and nobody has spoken of since `before`."""
        self._db.execute(
            "DELETE FROM alerts WHERE ends IS NOT NULL AND heard <= ? "
            "AND seq <= coalesce((SELECT min(told) FROM receivers), 0)",
            (before,),
        )

    def _count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM alerts").fetchone()[0])

    def _counter(self, name: str) -> int:
        return int(self._db.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()[0])

    def _next(self) -> int:
        self._db.execute("UPDATE counters SET value = value + 1 WHERE name = 'seq'")
        return self._counter("seq")

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db
