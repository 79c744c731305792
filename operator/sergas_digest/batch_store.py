"""The mails in the database: one batch for each mail, with its message and the state of every recipient.

A batch is on disk before it is sent, so a mail that must be sent twice is the same mail, with the same Message-ID.
Its life:

1. `create` renders what a receiver has not got. Nothing else changes.
2. `record` notes an attempt. With the first recipient that accepts the mail, the receiver has got its digest. The
   batch stays for recipients that were refused temporarily, and is deleted when none is pending.
3. If it is certain that nobody accepted the mail, the batch is deleted. The next attempt creates a new one, with what
   has arrived since, for the addresses that are configured then.

Every function runs inside a transaction of database.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sergas_digest.alert import Alert
from sergas_digest.config import MailReceiver
from sergas_digest.database import counter
from sergas_digest.outcome import Outcome

# RFC 5321, 4.5.4.1: the sender gives up after four to five days.
GIVE_UP_SECONDS = 5 * 86_400
# Batches of a receiver that wait for a recipient; with more of them the oldest is given up.
WAITING = 10


@dataclass(frozen=True)
class Content:
    """What a receiver has not got: alerts that changed or still fire.

    Attributes:
        alerts: id, fingerprint and alertname of each alert, the oldest first. `read` reads one.
        sequence: the counter `sequence` that a receiver of these alerts has reached.
        firing: how many of the alerts fire.
        dropped: how many alerts were dropped since the receiver's last digest.
        dropped_total: the counter `dropped` that a receiver of this has reached.
    """

    alerts: Sequence[tuple[int, str, str]]
    sequence: int
    firing: int
    dropped: int
    dropped_total: int

    def __bool__(self) -> bool:
        return bool(self.alerts or self.dropped)


@dataclass(frozen=True)
class Batch:
    """A mail that is to be sent. `accepted` says whether some recipient has it already."""

    id: int
    receiver: str
    boundary: int
    alerts: int
    message_id: str
    message: bytes
    recipients: tuple[str, ...]
    accepted: bool


def register(connection: sqlite3.Connection, receivers: Sequence[MailReceiver], boundary: int) -> None:
    """Makes these the receivers. A new one gets its first digest at the next boundary.

    What belongs to receivers and addresses that are no longer configured is deleted. A boundary that lies ahead of
    `boundary`, because the clock was ahead or the interval was shorter, is set back to it.
    """
    wanted = {(receiver.name, address) for receiver in receivers for address in receiver.to}
    known = set(connection.execute("SELECT receiver, address FROM addresses"))
    for receiver, address in known - wanted:
        connection.execute("DELETE FROM addresses WHERE receiver = ? AND address = ?", (receiver, address))
        connection.execute(
            "DELETE FROM recipients WHERE state = 'pending' AND address = ? "
            "AND batch IN (SELECT id FROM batches WHERE receiver = ?)",
            (address, receiver),
        )
    for receiver, address in wanted - known:
        connection.execute("INSERT INTO addresses VALUES (?, ?, NULL)", (receiver, address))
        connection.execute(
            "INSERT OR IGNORE INTO receivers VALUES (?, 0, ?, ?)",
            (receiver, counter(connection, "dropped"), boundary),
        )
    connection.execute("DELETE FROM receivers WHERE name NOT IN (SELECT receiver FROM addresses)")
    connection.execute("DELETE FROM batches WHERE receiver NOT IN (SELECT name FROM receivers)")
    connection.execute("DELETE FROM batches WHERE id NOT IN (SELECT batch FROM recipients WHERE state = 'pending')")
    connection.execute("UPDATE receivers SET boundary = ? WHERE boundary > ?", (boundary, boundary))


def due(connection: sqlite3.Connection, receiver: str, boundary: int) -> bool:
    """Whether a receiver has not got the digest of `boundary`."""
    row = connection.execute("SELECT boundary < ? FROM receivers WHERE name = ?", (boundary, receiver)).fetchone()
    return bool(row and row[0])


def waiting(connection: sqlite3.Connection, receiver: str) -> list[tuple[int, bool]]:
    """The batches of a receiver, the oldest first: their ids, and whether some recipient has accepted each."""
    rows = connection.execute(
        "SELECT id, EXISTS (SELECT 1 FROM recipients WHERE batch = id AND state = 'accepted') FROM batches "
        "WHERE receiver = ? ORDER BY id",
        (receiver,),
    )
    return [(int(number), bool(accepted)) for number, accepted in rows]


def content(connection: sqlite3.Connection, receiver: str) -> Content:
    """What a receiver has not got."""
    sequence, dropped = connection.execute(
        "SELECT sequence, dropped FROM receivers WHERE name = ?", (receiver,)
    ).fetchone()
    rows = connection.execute(
        "SELECT id, fingerprint, name, ends IS NULL FROM alerts WHERE sequence > ? OR ends IS NULL ORDER BY starts, id",
        (sequence,),
    ).fetchall()
    total = counter(connection, "dropped")
    return Content(
        alerts=[(number, fingerprint, name) for number, fingerprint, name, _ in rows],
        sequence=counter(connection, "sequence"),
        firing=sum(firing for *_, firing in rows),
        dropped=total - dropped,
        dropped_total=total,
    )


def read(connection: sqlite3.Connection, number: int) -> Alert:
    """The alert of an id.

    Raises:
        ValueError: the row does not hold an alert.
    """
    fingerprint, starts, ends, reported, labels, annotations = connection.execute(
        "SELECT fingerprint, starts, ends, end_reported, labels, annotations FROM alerts WHERE id = ?", (number,)
    ).fetchone()
    return Alert(fingerprint, starts, ends, json.loads(labels), json.loads(annotations), bool(reported))


def create(
    connection: sqlite3.Connection,
    receiver: MailReceiver,
    boundary: int,
    render: Callable[[sqlite3.Connection, Content], tuple[str, bytes]],
) -> int | None:
    """Creates the batch of a receiver for a boundary and returns its id.

    `render` gives the Message-ID and the message for a content. If there is nothing to send the result is None, and
    the receiver has got its digest of `boundary`.
    """
    found = content(connection, receiver.name)
    if not found:
        connection.execute("UPDATE receivers SET boundary = ? WHERE name = ?", (boundary, receiver.name))
        return None
    message_id, message = render(connection, found)
    number = connection.execute(
        "INSERT INTO batches (receiver, boundary, sequence, dropped, alerts, message_id, message) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (receiver.name, boundary, found.sequence, found.dropped_total, len(found.alerts), message_id, message),
    ).lastrowid
    addresses = [(number, address) for address in dict.fromkeys(receiver.to)]
    connection.executemany("INSERT INTO recipients VALUES (?, ?, 'pending')", addresses)
    connection.execute(
        "UPDATE addresses SET missing_since = coalesce(missing_since, ?) WHERE receiver = ?", (boundary, receiver.name)
    )
    return number


def load(connection: sqlite3.Connection, number: int) -> Batch | None:
    """The batch of an id, with the recipients that are pending. None if it was deleted."""
    row = connection.execute(
        "SELECT receiver, boundary, alerts, message_id, message FROM batches WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        return None
    states = connection.execute("SELECT address, state FROM recipients WHERE batch = ? ORDER BY rowid", (number,))
    found = states.fetchall()
    receiver, boundary, alerts, message_id, message = row
    return Batch(
        id=number,
        receiver=receiver,
        boundary=boundary,
        alerts=alerts,
        message_id=message_id,
        message=message,
        recipients=tuple(address for address, state in found if state == "pending"),
        accepted=any(state == "accepted" for _, state in found),
    )


def record(connection: sqlite3.Connection, batch: Batch, outcome: Outcome) -> None:
    """Notes the outcome of an attempt. It does nothing if the batch is gone, as after a corrupt database."""
    known = connection.execute("SELECT message_id FROM batches WHERE id = ?", (batch.id,)).fetchone()
    if known != (batch.message_id,):
        return
    for state, addresses in (("accepted", outcome.accepted), ("refused", tuple(outcome.refused))):
        connection.executemany(
            "UPDATE recipients SET state = ? WHERE batch = ? AND address = ?",
            [(state, batch.id, address) for address in addresses],
        )
    connection.executemany(
        "UPDATE addresses SET missing_since = NULL WHERE receiver = ? AND address = ?",
        [(batch.receiver, address) for address in outcome.accepted],
    )
    if outcome.accepted:
        connection.execute(
            "UPDATE receivers SET (sequence, dropped, boundary) = "
            "(SELECT max(receivers.sequence, b.sequence), max(receivers.dropped, b.dropped), "
            "max(receivers.boundary, b.boundary) FROM batches AS b WHERE b.id = ?) WHERE name = ?",
            (batch.id, batch.receiver),
        )
    nobody = outcome.certain and not (batch.accepted or outcome.accepted)
    [pending] = connection.execute(
        "SELECT count(*) FROM recipients WHERE batch = ? AND state = 'pending'", (batch.id,)
    ).fetchone()
    if nobody or not pending:
        connection.execute("DELETE FROM batches WHERE id = ?", (batch.id,))


def give_up(connection: sqlite3.Connection, now: float) -> list[tuple[str, str]]:
    """Deletes batches that wait too long for recipients after others have accepted; returns (receiver, address)."""
    rows = connection.execute(
        "SELECT id FROM (SELECT id, boundary, row_number() OVER (PARTITION BY receiver ORDER BY id DESC) AS age "
        "FROM batches WHERE EXISTS (SELECT 1 FROM recipients WHERE batch = id AND state = 'accepted')) "
        "WHERE boundary < ? OR age > ?",
        (now - GIVE_UP_SECONDS, WAITING),
    ).fetchall()
    given_up: list[tuple[str, str]] = []
    for (number,) in rows:
        given_up += connection.execute(
            "SELECT receiver, address FROM recipients JOIN batches ON batch = id WHERE id = ? AND state = 'pending'",
            (number,),
        ).fetchall()
        connection.execute("DELETE FROM batches WHERE id = ?", (number,))
    return given_up


def overdue_since(connection: sqlite3.Connection, receiver: str, boundary: int, interval: int) -> int | None:
    """The oldest boundary whose digest some recipient of a receiver has not got, None if none is missing.

    `boundary` is the last boundary, `interval` the seconds between two of them.
    """
    [missing] = connection.execute(
        "SELECT min(missing_since) FROM addresses WHERE receiver = ?", (receiver,)
    ).fetchone()
    if missing is not None:
        return int(missing)
    [last] = connection.execute("SELECT boundary FROM receivers WHERE name = ?", (receiver,)).fetchone()
    return (last // interval + 1) * interval if last < boundary else None
