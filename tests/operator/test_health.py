"""Liveness fails when a part of the operator stalls, and names it. Readiness names what is missing."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from sergas_operator.controller.health import Health, serve, symptoms

WELL = {"lateness": 0.0, "since_resync": 10.0, "resync_seconds": 300.0}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


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


def test_reports_nothing_while_everything_works() -> None:
    assert symptoms(**WELL) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lateness": 181.0}, "the queue has stalled: a reconcile is late by 181 s"),
        ({"since_resync": 661.0}, "the resync has stalled: the last one was 661 s ago"),
    ],
)
def test_names_part_that_has_stalled(change: dict[str, float], sentence: str) -> None:
    assert symptoms(**WELL | change) == [sentence]


@pytest.mark.parametrize("change", [{"lateness": 180.0}, {"since_resync": 660.0}])
def test_tolerates_delay_up_to_the_limit(change: dict[str, float]) -> None:
    assert symptoms(**WELL | change) == []


def test_liveness_answers_503_with_the_reason(served: tuple[Health, Clock, str]) -> None:
    health, _, url = served
    assert answer(f"{url}/healthz") == (200, "ok\n")
    health.report(["the queue has stalled", "the resync has stalled"])
    assert answer(f"{url}/healthz") == (503, "the queue has stalled; the resync has stalled\n")
    health.report([])
    assert answer(f"{url}/healthz") == (200, "ok\n")


def test_stuck_event_loop_is_not_live(served: tuple[Health, Clock, str]) -> None:
    _, clock, url = served
    clock.now += 21
    assert answer(f"{url}/healthz") == (503, "the event loop has been stuck for 21 s\n")


def test_readiness_names_what_is_missing(served: tuple[Health, Clock, str]) -> None:
    health, _, url = served
    assert answer(f"{url}/readyz") == (503, "the operator has not started yet\n")
    health.waiting = ["the namespace a has not been listed yet", "the namespace b has not been listed yet"]
    assert answer(f"{url}/readyz") == (
        503,
        "the namespace a has not been listed yet; the namespace b has not been listed yet\n",
    )
    health.waiting = []
    assert answer(f"{url}/readyz") == (200, "ok\n")


def test_other_paths_are_not_found(served: tuple[Health, Clock, str]) -> None:
    _, _, url = served
    assert answer(f"{url}/other") == (404, "not found: use /healthz or /readyz\n")
