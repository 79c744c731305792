"""The application as it is run: its own load, SIGTERM, and a crash."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sergas_metrics.catalogue import CATALOGUE

APP = Path(__file__).parents[2] / "examples" / "sergas-app"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.05)


def test_it_makes_its_own_load_over_http(process: Any) -> None:
    app = process(SERGAS_ROLE="api", SERGAS_LOAD_RATE="100")
    for route in ("/accounts", "/accounts/{account_id}", "/accounts/{account_id}/recommendations"):
        until(lambda route=route: app.metric(f'sergas_http_requests_total{{method="GET",route="{route}"'))
    assert app.metric("process_resident_memory_bytes") > 0


def test_sigterm_ends_it_in_order_even_under_load(process: Any) -> None:
    app = process(SERGAS_ROLE="all", SERGAS_LOAD_RATE="100")
    until(lambda: app.metric("sergas_zoho_accounts_synced_total") > 0)
    app.process.send_signal(signal.SIGTERM)
    _, log = app.end()
    assert "Application shutdown complete." in log
    assert "Traceback" not in log


def test_a_request_under_way_is_finished_after_sigterm(process: Any) -> None:
    app = process(SERGAS_ROLE="api")
    app.client.post("/faults", json={"latency_seconds": 0.7})
    with httpx.Client(base_url=app.client.base_url, timeout=20) as client:
        request = client.build_request("GET", "/accounts")

        def end_it() -> None:
            until(lambda: app.metric("sergas_http_requests_in_progress") == 1)
            app.process.send_signal(signal.SIGTERM)

        ender = threading.Thread(target=end_it)
        ender.start()
        answer = client.send(request)
        ender.join()
    assert answer.status_code == 200
    assert "Application shutdown complete." in app.end()[1]


def test_the_fault_crash_answers_and_ends_the_process(process: Any) -> None:
    app = process(SERGAS_ROLE="agents")
    assert app.client.post("/faults", json={"crash": True}).json()["crash"] is True
    code, log = app.end()
    assert code == 1
    assert "shutdown complete" not in log


def test_the_fault_freeze_answers_and_then_nobody_is_answered_for_a_while(process: Any) -> None:
    app = process(SERGAS_ROLE="api")
    assert app.client.post("/faults", json={"freeze_seconds": 1.5}).json()["freeze_seconds"] == 1.5
    with pytest.raises(httpx.TimeoutException):
        app.client.get("/healthz", timeout=0.5)
    assert app.client.get("/faults").json()["freeze_seconds"] == 0


def test_ordinary_life_fills_every_metric_of_the_catalogue(process: Any) -> None:
    app = process(SERGAS_ROLE="all", SERGAS_LOAD_RATE="40", SERGAS_MISHAPS="0.2", SERGAS_ACCOUNTS="20")
    names = [spec.name + ("_count" if spec.kind == "histogram" else "") for spec in CATALOGUE]
    # An overflow and a broken collector are no ordinary life.
    wanted = [name for name in names if not name.startswith("sergas_metrics_")]

    def missing() -> list[str]:
        samples = {re.split(r"[{ ]", line)[0] for line in app.client.get("/metrics").text.splitlines()}
        return [name for name in wanted if name not in samples]

    until(lambda: not missing())


def test_a_wrong_setting_ends_it_with_what_to_write() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sergas_app"],
        cwd=APP,
        env={"PATH": "/usr/bin:/bin", "SERGAS_ROLE": "worker"},
        capture_output=True,
        text=True,
        check=False,
    )
    message = "SERGAS_ROLE='worker' is no role: write one of all, api, agents"
    assert (done.returncode, done.stderr.strip()) == (1, message)
