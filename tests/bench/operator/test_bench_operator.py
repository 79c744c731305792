"""The benchmark of the operator: rows, requests of an audit log, and samples of memory."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from tests.bench.operator.memory import MemorySampler
from tests.bench.operator.requests import Request, Requests, is_write, most_in_a_second
from tests.bench.operator.rows import exit_status, percentile, row

SECONDS = 20.0


def line(received: str, user: str = "sergas-operator", verb: str = "patch", resource: str = "services") -> str:
    return json.dumps(
        {
            "user": {"username": user},
            "verb": verb,
            "objectRef": {"resource": resource, "name": "sergas"},
            "requestReceivedTimestamp": f"2026-01-01T00:00:{received}Z",
            "stageTimestamp": f"2026-01-01T00:00:{received}Z",
        }
    )


def test_exits_with_1_when_a_target_is_missed() -> None:
    assert exit_status([row("a", 5, "ms", 5), row("b", 7, "ms")]) == 0
    assert exit_status([row("a", 5, "ms", 5), row("b", 6, "writes", 5)]) == 1


def test_exits_with_1_when_nothing_was_measured() -> None:
    assert exit_status([]) == 1


def test_percentile_is_a_measured_value() -> None:
    assert percentile([float(number) for number in range(1, 101)], 0.99) == 99
    assert percentile([3.0, 1.0], 0.5) == 1


def test_reads_only_complete_lines_of_the_audit_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text(line("01.000") + "\n")
    requests = Requests(log)
    with log.open("a") as file:
        file.write(line("02.000") + "\n" + line("03.000")[:40])
    assert [request.received % 60 for request in requests.new()] == [2]
    with log.open("a") as file:
        file.write(line("03.000")[40:] + "\n")
    assert [request.received % 60 for request in requests.new()] == [3]


def test_leases_and_other_users_are_no_writes_of_the_operator() -> None:
    def request(user: str, verb: str, resource: str) -> Request:
        return Request(user, verb, resource, "sergas", 0, 0)

    assert is_write(request("sergas-operator", "patch", "services"))
    assert not is_write(request("sergas-operator", "get", "services"))
    assert not is_write(request("sergas-operator", "update", "leases"))
    assert not is_write(request("admin", "patch", "services"))


def test_counts_the_most_requests_within_any_second() -> None:
    times = (0.0, 0.6, 1.2, 1.5, 3.0)
    assert most_in_a_second(Request("", "", "", "", received, received) for received in times) == 3


def test_memory_sampler_keeps_the_peak() -> None:
    sampler = MemorySampler(os.getpid())
    deadline = time.monotonic() + SECONDS
    while not sampler.samples:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sampler.stop()
    assert sampler.peak >= sampler.resident > 1
