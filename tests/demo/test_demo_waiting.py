"""Waiting: for a condition, against a deadline, with an account of what was seen."""

import httpx
import pytest
from sergas_demo import waiting as waits


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr(waits, "EVERY_SECONDS", 0)
    return waits


def test_waiting_returns_what_was_found_and_shows_each_new_account_once(waiting):
    accounts, shown = iter(["1 of 2", "1 of 2", "2 of 2 but old"]), []

    def look():
        for account in accounts:
            raise waiting.NotYet(account)
        return "found"

    assert waiting.until("It", look, seconds=30, show=shown.append) == "found"
    assert shown == ["1 of 2", "2 of 2 but old"]


def test_a_missed_deadline_says_what_was_last_seen(waiting):
    def look():
        raise waiting.NotYet("1 of 2 pods are ready")

    with pytest.raises(waiting.NotInTimeError) as error:
        waiting.until("Readiness", look, seconds=0)
    assert str(error.value) == "Readiness did not happen within 0 s; last seen: 1 of 2 pods are ready"


def test_a_broken_connection_counts_as_not_yet(waiting):
    answers = iter([httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])

    def look():
        for answer in answers:
            raise answer
        return "found"

    assert waiting.until("It", look, seconds=30) == "found"


def test_any_other_error_ends_the_wait(waiting):
    def look():
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        waiting.until("It", look, seconds=30)
