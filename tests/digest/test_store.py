"""What the digest keeps, what it takes for the same, and what it forgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sergas_digest.alert import Alert
from sergas_digest.store import LINGER_SECONDS, SILENT_SECONDS, Store

NOW = 1_800_000_000.0
MAIL = ["mail"]


def alert(fingerprint: str = "a", starts: float = NOW, ends: float | None = None) -> Alert:
    return Alert(fingerprint, starts, ends, {"alertname": fingerprint}, {"summary": "s"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path)
    found.register(MAIL, 0)
    yield found
    found.close()


def periods(store: Store, name: str = "mail") -> list[tuple[float, float | None]]:
    return [(found.starts - NOW, found.ends and found.ends - NOW) for found in store.pending(name).alerts]


def tell(store: Store, name: str = "mail", now: float = NOW) -> None:
    store.told(name, store.pending(name), int(now), now)


def test_an_alert_that_fired_and_ended_is_kept_with_both_times(store: Store) -> None:
    store.take([alert()], NOW)
    store.take([alert(ends=NOW + 30)], NOW + 30)
    assert periods(store) == [(0, 30)]


def test_an_end_whose_beginning_was_never_told_is_kept(store: Store) -> None:
    store.take([alert(ends=NOW + 30)], NOW + 30)
    assert periods(store) == [(0, 30)]


def test_three_alertmanagers_that_tell_the_same_make_one_alert(store: Store) -> None:
    for _ in range(3):
        store.take([alert()], NOW)
    for _ in range(3):
        store.take([alert(ends=NOW + 30)], NOW + 30)
    assert periods(store) == [(0, 30)]


def test_two_prometheus_that_begin_it_seconds_apart_make_one_alert_from_the_first(store: Store) -> None:
    store.take([alert(starts=NOW + 20)], NOW)
    store.take([alert(starts=NOW)], NOW)
    store.take([alert(starts=NOW + 20, ends=NOW + 90)], NOW)
    store.take([alert(starts=NOW, ends=NOW + 90)], NOW)
    assert periods(store) == [(0, 90)]


def test_an_alert_that_fires_again_later_is_told_twice(store: Store) -> None:
    store.take([alert(ends=NOW + 30)], NOW)
    store.take([alert(starts=NOW + 600)], NOW)
    assert periods(store) == [(0, 30), (600, None)]


def test_the_late_end_of_an_earlier_time_leaves_the_one_that_fires_alone(store: Store) -> None:
    store.take([alert(ends=NOW + 30)], NOW)
    store.take([alert(starts=NOW + 600)], NOW)
    store.take([alert(ends=NOW + 30)], NOW)
    assert periods(store) == [(0, 30), (600, None)]


def test_an_alert_taken_for_ended_that_still_fires_is_open_again(store: Store) -> None:
    store.take([alert(ends=NOW + 30)], NOW)
    store.take([alert()], NOW + 60)
    assert periods(store) == [(0, None)]


def test_what_was_told_is_not_told_again_unless_it_still_fires(store: Store) -> None:
    store.take([alert("ended", ends=NOW + 1), alert("firing")], NOW)
    tell(store)
    assert [found.name for found in store.pending("mail").alerts] == ["firing"]
    store.take([alert("firing", ends=NOW + 99)], NOW)
    assert [found.name for found in store.pending("mail").alerts] == ["firing"]
    tell(store)
    assert store.pending("mail").alerts == ()


def test_what_came_while_a_mail_was_under_way_is_in_the_next(store: Store) -> None:
    store.take([alert("first", ends=NOW)], NOW)
    pending = store.pending("mail")
    store.take([alert("second", ends=NOW)], NOW)
    store.told("mail", pending, int(NOW), NOW)
    assert [found.name for found in store.pending("mail").alerts] == ["second"]


def test_a_receiver_that_could_not_be_told_keeps_what_another_has(store: Store) -> None:
    store.register(["mail", "second"], 0)
    store.take([alert(ends=NOW)], NOW)
    tell(store, "mail", NOW + 2 * LINGER_SECONDS)
    assert store.pending("mail").alerts == ()
    assert len(store.pending("second").alerts) == 1
    assert store.waiting() == 1
    store.register(["mail"], 0)
    assert store.waiting() == 0


def test_an_end_told_by_another_alertmanager_after_the_mail_is_no_news(store: Store) -> None:
    store.take([alert(ends=NOW)], NOW)
    tell(store, now=NOW + 1)
    store.take([alert(ends=NOW)], NOW + 2)
    assert store.pending("mail").alerts == ()


def test_everything_is_still_there_after_the_file_is_opened_again(store: Store, tmp_path: Path) -> None:
    store.take([alert("ended", ends=NOW), alert("firing")], NOW)
    tell(store)
    store.take([alert("new", ends=NOW)], NOW)
    store.close()
    again = Store(tmp_path)
    assert {found.name for found in again.pending("mail").alerts} == {"firing", "new"}
    assert again.boundary("mail") == int(NOW)
    again.close()


def test_an_alert_nobody_speaks_of_any_more_has_ended(store: Store) -> None:
    store.take([alert("silent"), alert("loud")], NOW)
    store.take([alert("loud")], NOW + SILENT_SECONDS)
    store.give_up_on_the_silent(NOW + SILENT_SECONDS + 1)
    assert {found.name: found.ends for found in store.pending("mail").alerts} == {"silent": NOW, "loud": None}


def test_the_store_is_bounded_and_counts_what_it_cannot_keep(tmp_path: Path) -> None:
    store = Store(tmp_path, rows=3)
    store.register(MAIL, 0)
    assert store.take([alert(str(number), ends=NOW) for number in range(5)], NOW) == 2
    pending = store.pending("mail")
    assert (len(pending.alerts), pending.dropped) == (3, 2)
    tell(store)
    assert store.pending("mail").dropped == 0
    assert store.take([alert("room again", ends=NOW)], NOW + 1) == 0
    store.close()


def test_a_new_receiver_waits_for_the_next_boundary(store: Store) -> None:
    store.register(["mail", "second"], 500)
    assert (store.boundary("mail"), store.boundary("second")) == (0, 500)
