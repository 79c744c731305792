"""Liveness fails when the inner works stall, and says which."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from sergas_operator.cache import Cache
from sergas_operator.health import Health, serve, symptoms

KEY = ("Prometheus", "monitoring", "sergas")
WELL = {"debt": 0.0, "awaited": "", "lateness": 0.0, "since_resync": 10.0, "resync_seconds": 300.0}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def body(version: int) -> dict[str, object]:
    return {
        "kind": "Prometheus",
        "metadata": {"name": "sergas", "namespace": "monitoring", "resourceVersion": str(version)},
    }


@pytest.fixture
def served() -> Iterator[tuple[Health, Clock, str]]:
    clock = Clock()
    health = Health(clock)
    server = serve(health, 0)
    yield health, clock, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as found:  # noqa: S310
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_all_well_is_live() -> None:
    assert symptoms(**WELL) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"debt": 151.0, "awaited": "Prometheus monitoring sergas"},
            "a watch has stalled: it has not told of Prometheus monitoring sergas for 151 s",
        ),
        ({"lateness": 181.0}, "the queue has stalled: a pass is late by 181 s"),
        ({"since_resync": 661.0}, "the resync has stalled: the last one was 661 s ago"),
    ],
)
def test_a_stall_is_told(change: dict[str, object], sentence: str) -> None:
    assert symptoms(**WELL | change) == [sentence]


def test_a_write_whose_watch_stays_silent_becomes_a_debt() -> None:
    clock = Clock()
    cache = Cache(clock)
    cache.answered(KEY, body(7), written=True)
    clock.now += 151
    assert cache.oldest_debt() == (151.0, KEY)
    cache.event(KEY, body(6), keep=True)
    assert cache.oldest_debt()[0] == 151.0
    cache.event(KEY, body(8), keep=True)
    assert cache.oldest_debt() == (0.0, None)


def test_a_read_newer_than_what_the_watch_told_becomes_a_debt_but_a_first_read_does_not() -> None:
    clock = Clock()
    cache = Cache(clock)
    cache.track(KEY)
    cache.answered(KEY, body(7), written=False)
    assert cache.oldest_debt() == (0.0, None)
    cache.answered(KEY, body(9), written=False)
    clock.now += 5
    assert cache.oldest_debt() == (5.0, KEY)


def test_a_deleted_object_is_no_debt() -> None:
    cache = Cache(Clock())
    cache.answered(KEY, body(7), written=True)
    cache.gone(KEY, 8)
    assert cache.oldest_debt() == (0.0, None)


def test_liveness_answers_503_with_the_reason(served: tuple[Health, Clock, str]) -> None:
    health, _, url = served
    assert answer(f"{url}/healthz") == (200, "ok\n")
    health.beat(["a watch has stalled"])
    assert answer(f"{url}/healthz") == (503, "a watch has stalled\n")
    health.beat([])
    assert answer(f"{url}/healthz") == (200, "ok\n")


def test_a_stuck_event_loop_is_not_live(served: tuple[Health, Clock, str]) -> None:
    _, clock, url = served
    clock.now += 21
    assert answer(f"{url}/healthz") == (503, "the event loop has been stuck for 21 s\n")


def test_readiness_waits_for_the_first_listing(served: tuple[Health, Clock, str]) -> None:
    health, _, url = served
    assert answer(f"{url}/readyz") == (503, "not every namespace has been listed yet\n")
    health.ready = True
    assert answer(f"{url}/readyz") == (200, "ok\n")
    assert answer(f"{url}/other") == (404, "there is /healthz and /readyz\n")
