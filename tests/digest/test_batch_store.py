"""The life of a batch: when it is created, what its outcomes change, and when it is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sergas_digest import alert_store, batch_store
from sergas_digest.alert import Alert
from sergas_digest.batch_store import GIVE_UP_SECONDS, WAITING, Batch
from sergas_digest.config import MailReceiver
from sergas_digest.database import Database
from sergas_digest.outcome import Outcome

NOW = 1_800_000_000.0
INTERVAL = 60
FIRST, SECOND = "first@sergas.example", "second@sergas.example"


class Batches:
    """The functions of the batch store over one database with one receiver."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder, lambda: NOW)
        self.created = 0
        self.register(0)

    def register(self, boundary: int, *to: str) -> None:
        self.receiver = MailReceiver("mail", to or (FIRST, SECOND), "alerts@sergas.example", "smtp:25")
        self.database.execute(lambda db: batch_store.register(db, [self.receiver], boundary))

    def store(self, fingerprint: str, ends: float | None = NOW) -> None:
        alert = Alert(fingerprint, NOW, ends, {"alertname": fingerprint}, {})
        self.database.execute(lambda db: alert_store.store(db, [alert], NOW))

    def create(self, boundary: int = INTERVAL) -> Batch | None:
        def render(_db, content):
            self.created += 1
            return f"<{self.created}>", " ".join(name for _, _, name in content.alerts).encode()

        def create(db):
            number = batch_store.create(db, self.receiver, boundary, render)
            return None if number is None else batch_store.load(db, number)

        return self.database.execute(create)

    def load(self, batch: Batch) -> Batch | None:
        return self.database.execute(lambda db: batch_store.load(db, batch.id))

    def record(self, batch: Batch, outcome: Outcome) -> None:
        self.database.execute(lambda db: batch_store.record(db, batch, outcome))

    def waiting(self) -> list[tuple[int, bool]]:
        return self.database.execute(lambda db: batch_store.waiting(db, "mail"))

    def due(self, boundary: int) -> bool:
        return self.database.execute(lambda db: batch_store.due(db, "mail", boundary))

    def names(self) -> list[str]:
        return [name for _, _, name in self.database.execute(lambda db: batch_store.content(db, "mail")).alerts]

    def overdue_since(self, boundary: int) -> int | None:
        return self.database.execute(lambda db: batch_store.overdue_since(db, "mail", boundary, INTERVAL))


@pytest.fixture
def batches(tmp_path: Path) -> Iterator[Batches]:
    found = Batches(tmp_path)
    yield found
    found.database.close()


def created(batches: Batches, name: str = "a", boundary: int = INTERVAL) -> Batch:
    batches.store(name)
    batch = batches.create(boundary)
    assert batch is not None
    return batch


def test_a_batch_that_all_accept_is_delivered_and_deleted(batches: Batches) -> None:
    batch = created(batches)
    assert (batch.message, batch.recipients, batch.accepted) == (b"a", (FIRST, SECOND), False)
    batches.record(batch, Outcome(accepted=(FIRST, SECOND)))
    assert batches.waiting() == []
    assert batches.names() == []
    assert (batches.due(INTERVAL), batches.due(2 * INTERVAL)) == (False, True)
    assert batches.overdue_since(INTERVAL) is None


def test_alerts_that_arrive_while_a_batch_waits_are_in_the_next(batches: Batches) -> None:
    batch = created(batches)
    batches.store("later")
    batches.record(batch, Outcome(accepted=(FIRST, SECOND)))
    assert batches.names() == ["later"]


def test_nothing_to_send_is_a_delivered_digest(batches: Batches) -> None:
    assert batches.create() is None
    assert not batches.due(INTERVAL)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(error="connection refused"),
        Outcome(deferred={FIRST: "450", SECOND: "450"}),
        Outcome(refused={FIRST: "550", SECOND: "550"}),
        Outcome(deferred={FIRST: "450"}, refused={SECOND: "550"}),
    ],
)
def test_a_batch_that_certainly_nobody_accepted_is_created_anew(batches: Batches, outcome: Outcome) -> None:
    batch = created(batches)
    batches.record(batch, outcome)
    assert batches.waiting() == []
    assert batches.due(INTERVAL)
    assert batches.overdue_since(INTERVAL) == INTERVAL
    again = created(batches, "b")
    assert (again.message, again.recipients) == (b"a b", (FIRST, SECOND))
    assert again.message_id != batch.message_id


def test_a_batch_that_may_have_been_accepted_is_sent_again_unchanged(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(error="connection lost", certain=False))
    batches.store("later")
    assert batches.waiting() == [(batch.id, False)]
    assert batches.load(batch) == batch


def test_a_deferred_recipient_gets_the_same_batch_and_the_other_no_second_one(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(accepted=(FIRST,), deferred={SECOND: "450 greylisted"}))
    assert batches.waiting() == [(batch.id, True)]
    assert batches.names() == []
    assert not batches.due(INTERVAL)
    assert batches.overdue_since(INTERVAL) == INTERVAL
    rest = batches.load(batch)
    assert rest is not None
    assert (rest.recipients, rest.message_id, rest.message) == ((SECOND,), batch.message_id, batch.message)
    # The next digest does not wait for it, and the older one does not set the receiver back.
    following = created(batches, "b", 2 * INTERVAL)
    batches.record(following, Outcome(accepted=(FIRST, SECOND)))
    batches.record(rest, Outcome(accepted=(SECOND,)))
    assert batches.waiting() == []
    assert batches.names() == []
    assert not batches.due(2 * INTERVAL)


def test_a_permanently_refused_recipient_is_not_tried_again_and_stays_overdue(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(accepted=(FIRST,), refused={SECOND: "550 no such user"}))
    assert batches.waiting() == []
    assert batches.overdue_since(INTERVAL) == INTERVAL
    following = created(batches, "b", 5 * INTERVAL)
    assert following.recipients == (FIRST, SECOND)
    assert batches.overdue_since(5 * INTERVAL) == INTERVAL
    batches.record(following, Outcome(accepted=(FIRST, SECOND)))
    assert batches.overdue_since(5 * INTERVAL) is None


def test_an_address_that_is_removed_holds_up_nothing(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(accepted=(FIRST,), deferred={SECOND: "450"}))
    batches.register(INTERVAL, FIRST)
    assert batches.waiting() == []
    assert batches.overdue_since(INTERVAL) is None


def test_a_batch_of_an_address_that_is_replaced_is_created_anew(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(error="connection lost", certain=False))
    batches.register(INTERVAL, "new@sergas.example")
    assert batches.waiting() == []
    again = batches.create()
    assert again is not None
    assert (again.message, again.recipients) == (b"a", ("new@sergas.example",))


def test_a_recipient_that_is_deferred_for_five_days_is_given_up(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(accepted=(FIRST,), deferred={SECOND: "450"}))
    give_up = lambda now: batches.database.execute(lambda db: batch_store.give_up(db, now))  # noqa: E731
    assert give_up(INTERVAL + GIVE_UP_SECONDS) == []
    assert give_up(INTERVAL + GIVE_UP_SECONDS + 1) == [("mail", SECOND)]
    assert batches.waiting() == []


def test_a_batch_that_nobody_accepted_is_never_given_up(batches: Batches) -> None:
    batch = created(batches)
    batches.record(batch, Outcome(error="connection lost", certain=False))
    assert batches.database.execute(lambda db: batch_store.give_up(db, NOW)) == []
    assert batches.waiting() == [(batch.id, False)]


def test_the_batches_that_wait_are_bounded(batches: Batches) -> None:
    for number in range(WAITING + 2):
        batch = created(batches, str(number), INTERVAL * (number + 1))
        batches.record(batch, Outcome(accepted=(FIRST,), deferred={SECOND: "450"}))
    assert len(batches.database.execute(lambda db: batch_store.give_up(db, 0))) == 2
    assert len(batches.waiting()) == WAITING


def test_an_outcome_of_a_batch_that_is_gone_changes_nothing(batches: Batches) -> None:
    batch = created(batches)
    other = Batch(batch.id, "mail", INTERVAL, 1, "<other>", b"", (FIRST,), accepted=False)
    batches.record(other, Outcome(accepted=(FIRST, SECOND)))
    assert batches.names() == ["a"]


def test_a_new_receiver_gets_its_first_digest_at_the_next_boundary(batches: Batches) -> None:
    second = MailReceiver("second", (FIRST,), "alerts@sergas.example", "smtp:25")
    batches.database.execute(lambda db: batch_store.register(db, [batches.receiver, second], 500))
    due = lambda boundary: batches.database.execute(lambda db: batch_store.due(db, "second", boundary))  # noqa: E731
    assert (due(500), due(501)) == (False, True)


def test_a_boundary_ahead_of_the_clock_is_set_back(batches: Batches) -> None:
    created(batches)
    batches.record(batches.create(1000 * INTERVAL), Outcome(accepted=(FIRST, SECOND)))
    assert not batches.due(3 * INTERVAL)
    batches.register(2 * INTERVAL)
    assert (batches.due(2 * INTERVAL), batches.due(3 * INTERVAL)) == (False, True)


def test_a_digest_that_could_not_be_created_is_overdue_since_its_boundary(batches: Batches) -> None:
    assert batches.overdue_since(10 * INTERVAL) == INTERVAL
