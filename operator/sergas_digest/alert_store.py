"""The alerts in the database: which of them are the same, which ended, and which are dropped when it is full.

At most one row of a fingerprint fires. Each change of an alert that people must learn of takes the next value of the
counter `sequence`; a receiver's own `sequence` is the last one that a delivered digest contains.

Every function runs inside a transaction of database.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from sergas_digest.alert import Alert
from sergas_digest.database import counter, increment

ROWS = 10_000
# Two Prometheus replicas start the same alert within one scrape and one evaluation of each other.
SAME_SECONDS = 60.0
# Alertmanager repeats a firing alert every hour. After three hours without a repetition its end was lost.
EXPIRY_SECONDS = 3 * 3600.0
# How long a delivered alert is remembered: another Alertmanager may still report its end.
REMEMBER_SECONDS = 3600.0


def store(connection: sqlite3.Connection, alerts: Iterable[Alert], now: float, rows: int = ROWS) -> int:
    """Stores the changes in `alerts` and returns how many alerts were dropped because the store was full."""
    before = counter(connection, "dropped")
    for alert in alerts:
        _store(connection, alert, now, rows)
    return counter(connection, "dropped") - before


def expire(connection: sqlite3.Connection, now: float, receiving_since: float) -> None:
    """Ends alerts that were not reported for EXPIRY_SECONDS, during which the digest could receive them.

    Their end is the time at which they were last reported. `receiving_since` is since when requests were accepted
    without interruption: time before that says nothing about an alert that was not reported. Times are Unix seconds.
    """
    # The clock may have been ahead when the alert was stored.
    connection.execute("UPDATE alerts SET last_seen = ? WHERE last_seen > ?", (now, now))
    if receiving_since > now - EXPIRY_SECONDS:
        return
    expired = connection.execute(
        "SELECT id FROM alerts WHERE ends IS NULL AND last_seen < ?", (now - EXPIRY_SECONDS,)
    ).fetchall()
    for (row,) in expired:
        connection.execute(
            "UPDATE alerts SET ends = max(starts, last_seen), end_reported = 0, sequence = ? WHERE id = ?",
            (increment(connection, "sequence"), row),
        )


def prune(connection: sqlite3.Connection, before: float) -> None:
    """Deletes ended alerts that every receiver has, and that were last reported at or before `before`."""
    connection.execute(
        "DELETE FROM alerts WHERE ends IS NOT NULL AND last_seen <= ? "
        "AND sequence <= coalesce((SELECT min(sequence) FROM receivers), 0)",
        (before,),
    )


def pending(connection: sqlite3.Connection) -> int:
    """How many alerts have changes that some receiver has not got."""
    row = connection.execute(
        "SELECT count(*) FROM alerts WHERE sequence > coalesce((SELECT min(sequence) FROM receivers), 0)"
    )
    return int(row.fetchone()[0])


def _store(connection: sqlite3.Connection, alert: Alert, now: float, rows: int) -> None:
    row = _same(connection, alert)
    if row is None:
        if _make_room(connection, alert, now, rows):
            _insert(connection, alert, now)
        return
    number, ends = row
    repeated = ends == alert.ends or (ends is not None and alert.ends is not None)
    connection.execute(
        "UPDATE alerts SET last_seen = ?, starts = min(starts, ?) WHERE id = ?", (now, alert.starts, number)
    )
    if not repeated:
        connection.execute(
            "UPDATE alerts SET ends = ?, end_reported = 1, sequence = ? WHERE id = ?",
            (alert.ends, increment(connection, "sequence"), number),
        )


def _same(connection: sqlite3.Connection, alert: Alert) -> tuple[int, float | None] | None:
    """Row and end of the same alert: the row that fires, or the one that started when it did."""
    rows = connection.execute(
        "SELECT id, starts, ends FROM alerts WHERE fingerprint = ? AND (ends IS NULL OR abs(starts - ?) <= ?) "
        "ORDER BY ends IS NOT NULL, abs(starts - ?)",
        (alert.fingerprint, alert.starts, SAME_SECONDS, alert.starts),
    ).fetchall()
    for number, starts, ends in rows:
        # The end of an earlier occurrence may be reported late, while the alert fires again.
        if ends is not None or alert.ends is None or alert.ends >= starts:
            return int(number), None if ends is None else float(ends)
    return None


def _insert(connection: sqlite3.Connection, alert: Alert, now: float) -> None:
    connection.execute(
        "INSERT INTO alerts (fingerprint, namespace, name, starts, ends, end_reported, last_seen, sequence, labels, "
        "annotations) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(alert.fingerprint, alert.namespace, alert.name, alert.starts, alert.ends, alert.end_reported, now),
            *(increment(connection, "sequence"), json.dumps(alert.labels), json.dumps(alert.annotations)),
        ),
    )


def _make_room(connection: sqlite3.Connection, alert: Alert, now: float, rows: int) -> bool:
    """Whether there is room for a new alert. In a full store it makes room for an alert of a smaller group.

    The namespace with the most rows, and in it the alertname with the most rows, gives up its newest row. If that is
    the new alert's own group, the new alert is dropped. So a flood displaces only itself.
    """
    if _count(connection) < rows:
        return True
    prune(connection, now)
    if _count(connection) < rows:
        return True
    increment(connection, "dropped")
    group = _largest_group(connection)
    if group == (alert.namespace, alert.name):
        return False
    connection.execute(
        "DELETE FROM alerts WHERE id = (SELECT max(id) FROM alerts WHERE namespace = ? AND name = ?)", group
    )
    return True


def _largest_group(connection: sqlite3.Connection) -> tuple[str, str]:
    [namespace] = connection.execute(
        "SELECT namespace FROM alerts GROUP BY namespace ORDER BY count(*) DESC, namespace LIMIT 1"
    ).fetchone()
    [name] = connection.execute(
        "SELECT name FROM alerts WHERE namespace = ? GROUP BY name ORDER BY count(*) DESC, name LIMIT 1", (namespace,)
    ).fetchone()
    return str(namespace), str(name)


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM alerts").fetchone()[0])
