"""Which alerts are the same, which ended, which are dropped, and which are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sergas_digest import alert_store, batch_store
from sergas_digest.alert import Alert
from sergas_digest.alert_store import EXPIRY_SECONDS, REMEMBER_SECONDS
from sergas_digest.batch_store import Content
from sergas_digest.config import MailReceiver
from sergas_digest.database import Database
from sergas_digest.outcome import Outcome

NOW = 1_800_000_000.0
INTERVAL = 60


def receiver(name: str = "mail") -> MailReceiver:
    return MailReceiver(name, (f"{name}@sergas.example",), "alerts@sergas.example", "smtp:25")


def alert(fingerprint: str = "a", starts: float = NOW, ends: float | None = None, **labels: str) -> Alert:
    return Alert(fingerprint, starts, ends, {"alertname": fingerprint} | labels, {"summary": "s"})


class Store:
    """The functions of the two stores over one database."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder, lambda: NOW)
        self.boundary = 0
        self.register("mail")

    def register(self, *names: str) -> None:
        receivers = [receiver(name) for name in names]
        self.database.execute(lambda db: batch_store.register(db, receivers, self.boundary))

    def store(self, *alerts: Alert, now: float = NOW, rows: int = alert_store.ROWS) -> int:
        return self.database.execute(lambda db: alert_store.store(db, alerts, now, rows))

    def expire(self, now: float, receiving_since: float = 0.0) -> None:
        self.database.execute(lambda db: alert_store.expire(db, now, receiving_since))

    def prune(self, before: float) -> None:
        self.database.execute(lambda db: alert_store.prune(db, before))

    def content(self, name: str = "mail") -> Content:
        return self.database.execute(lambda db: batch_store.content(db, name))

    def alerts(self, name: str = "mail") -> list[Alert]:
        found = self.content(name).alerts
        return self.database.execute(lambda db: [batch_store.read(db, number) for number, *_ in found])

    def names(self, name: str = "mail") -> list[str]:
        return [found.name for found in self.alerts(name)]

    def periods(self) -> list[tuple[float, float | None]]:
        return [(found.starts - NOW, found.ends and found.ends - NOW) for found in self.alerts()]

    def deliver(self, name: str = "mail") -> None:
        self.boundary += INTERVAL

        def deliver(db):
            number = batch_store.create(db, receiver(name), self.boundary, lambda *_: ("<id>", b"message"))
            batch = batch_store.load(db, number)
            batch_store.record(db, batch, Outcome(accepted=batch.recipients))

        self.database.execute(deliver)

    def pending(self) -> int:
        return self.database.execute(alert_store.pending)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path)
    yield found
    found.database.close()


def test_keeps_both_times_of_an_alert_that_fired_and_ended(store: Store) -> None:
    store.store(alert())
    store.store(alert(ends=NOW + 30))
    assert store.periods() == [(0, 30)]


def test_keeps_an_end_whose_start_was_not_reported(store: Store) -> None:
    store.store(alert(ends=NOW + 30))
    assert store.periods() == [(0, 30)]


def test_reports_of_three_alertmanagers_are_one_alert(store: Store) -> None:
    store.store(*[alert()] * 3)
    store.store(*[alert(ends=NOW + 30)] * 3)
    assert store.periods() == [(0, 30)]


def test_starts_of_two_prometheus_replicas_are_one_alert_from_the_first(store: Store) -> None:
    store.store(alert(starts=NOW + 20))
    store.store(alert(starts=NOW))
    store.store(alert(starts=NOW + 20, ends=NOW + 90))
    store.store(alert(starts=NOW, ends=NOW + 90))
    assert store.periods() == [(0, 90)]


def test_an_alert_that_fires_again_later_is_a_second_alert(store: Store) -> None:
    store.store(alert(ends=NOW + 30))
    store.store(alert(starts=NOW + 600))
    assert store.periods() == [(0, 30), (600, None)]


def test_late_end_of_an_earlier_occurrence_does_not_end_the_one_that_fires(store: Store) -> None:
    store.store(alert(ends=NOW + 30))
    store.store(alert(starts=NOW + 600))
    store.store(alert(ends=NOW + 30))
    assert store.periods() == [(0, 30), (600, None)]


def test_an_ended_alert_that_is_reported_as_firing_fires_again(store: Store) -> None:
    store.store(alert(ends=NOW + 30))
    store.store(alert(), now=NOW + 60)
    assert store.periods() == [(0, None)]


def test_a_delivered_alert_is_sent_again_only_while_it_fires(store: Store) -> None:
    store.store(alert("ended", ends=NOW + 1), alert("firing"))
    store.deliver()
    assert store.names() == ["firing"]
    store.store(alert("firing", ends=NOW + 99))
    assert store.names() == ["firing"]
    store.deliver()
    assert store.names() == []


def test_an_end_reported_by_another_alertmanager_after_the_mail_is_no_change(store: Store) -> None:
    store.store(alert(ends=NOW))
    store.deliver()
    store.store(alert(ends=NOW), now=NOW + 2)
    assert store.names() == []


def test_an_alert_stays_until_every_receiver_has_it(store: Store) -> None:
    store.register("mail", "second")
    store.store(alert(ends=NOW))
    store.deliver("mail")
    store.prune(NOW)
    assert (store.names("mail"), store.names("second"), store.pending()) == ([], ["a"], 1)
    store.register("mail")
    assert store.pending() == 0


def test_a_delivered_alert_is_remembered_for_an_hour(store: Store) -> None:
    store.store(alert(ends=NOW))
    store.deliver()
    store.prune(NOW - 1)
    store.store(alert(ends=NOW), now=NOW)
    assert store.names() == []
    store.prune(NOW + REMEMBER_SECONDS)
    store.store(alert(ends=NOW), now=NOW + 2 * REMEMBER_SECONDS)
    assert store.names() == ["a"]


def test_an_alert_that_is_no_longer_reported_ends_without_a_reported_end(store: Store) -> None:
    store.store(alert("silent"), alert("loud"))
    store.store(alert("loud"), now=NOW + EXPIRY_SECONDS)
    store.expire(NOW + EXPIRY_SECONDS)
    assert {found.name: found.ends for found in store.alerts()} == {"silent": None, "loud": None}
    store.expire(NOW + EXPIRY_SECONDS + 1)
    assert {found.name: found.ends for found in store.alerts()} == {"silent": NOW, "loud": None}
    assert {found.name: found.end_reported for found in store.alerts()} == {"silent": False, "loud": True}


def test_an_alert_that_could_not_be_reported_does_not_end(store: Store) -> None:
    store.store(alert())
    store.expire(NOW + 10 * EXPIRY_SECONDS, receiving_since=NOW + 9.5 * EXPIRY_SECONDS)
    assert store.periods() == [(0, None)]
    store.expire(NOW + 11 * EXPIRY_SECONDS, receiving_since=NOW + 9.5 * EXPIRY_SECONDS)
    assert store.periods() == [(0, 0)]


def test_a_report_of_an_alert_that_was_taken_for_ended_makes_it_fire_again(store: Store) -> None:
    store.store(alert())
    store.expire(NOW + EXPIRY_SECONDS + 1)
    store.deliver()
    store.store(alert(), now=NOW + EXPIRY_SECONDS + 2)
    [found] = store.alerts()
    assert (found.ends, found.end_reported) == (None, True)


def test_an_alert_stored_while_the_clock_was_ahead_expires_in_time(store: Store) -> None:
    store.store(alert(), now=NOW + 100 * EXPIRY_SECONDS)
    store.expire(NOW)
    store.expire(NOW + EXPIRY_SECONDS + 1)
    assert store.periods() == [(0, 0)]


def test_a_full_store_drops_and_counts_new_alerts_of_the_largest_group(store: Store) -> None:
    flood = [alert(str(number), ends=NOW, alertname="Flood") for number in range(5)]
    assert store.store(*flood, rows=3) == 2
    assert (len(store.alerts()), store.content().dropped) == (3, 2)
    store.deliver()
    assert store.content().dropped == 0
    # Delivered alerts make room.
    assert store.store(alert("room", ends=NOW), now=NOW + 1, rows=3) == 0


def test_a_flood_of_one_namespace_displaces_no_alert_of_others(store: Store) -> None:
    store.store(*[alert(f"early{number}", namespace="crm") for number in range(2)], rows=20)
    store.store(*[alert(f"flood{number}", namespace="noisy") for number in range(100)], rows=20)
    store.store(*[alert(f"late{number}", namespace="crm") for number in range(5)], rows=20)
    store.store(*[alert(f"flood{number}", namespace="noisy") for number in range(100, 200)], rows=20)
    names = store.names()
    assert {name for name in names if not name.startswith("flood")} == {
        *(f"early{number}" for number in range(2)),
        *(f"late{number}" for number in range(5)),
    }
    assert len(names) == 20


def test_a_flood_of_one_alertname_displaces_no_other_of_its_namespace(store: Store) -> None:
    flood = [alert(f"flood{number}", namespace="crm", alertname="Flood") for number in range(50)]
    store.store(*flood, rows=10)
    store.store(*[alert(name, namespace="crm") for name in ("one", "two")], rows=10)
    store.store(*flood, rows=10)
    assert [store.names().count(name) for name in ("one", "two", "Flood")] == [1, 1, 8]


def test_everything_is_there_after_the_database_was_closed(store: Store, tmp_path: Path) -> None:
    store.store(alert("ended", ends=NOW), alert("firing"))
    store.deliver()
    store.store(alert("new", ends=NOW))
    store.database.close()
    again = Store(tmp_path)
    assert set(again.names()) == {"firing", "new"}
    again.database.close()
