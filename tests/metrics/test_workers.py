"""Servers of several workers, real ones: any worker answers for all, and what a dead one had published stays."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sergas_metrics._processes.snapshot import decoded

SERVED = Path(__file__).parent / "served"
DEADLINE_SECONDS = 40
REQUESTS = "sergas_http_requests_total"
COUNTED = {"method": "GET", "route": "/process", "status": "200"}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Server:
    """A server on loopback, and what its clients see of it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
        self.process = process
        self.port = port
        self.directory = directory

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read()
        finally:
            connection.close()

    def ask(self, times: int) -> Counter[int]:
        """Ask which process answers, that many times."""
        return Counter(json.loads(self.get("/process")) for _ in range(times))

    def samples(self) -> Samples:
        families = text_string_to_metric_families(self.get("/metrics").decode())
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def value(self, name: str, **labels: str) -> float:
        return self.samples().get((name, tuple(sorted(labels.items()))), 0.0)

    def published(self, process: int) -> Samples:
        """What a process has published of its requests."""
        (path,) = self.directory.glob(f"{process}-*.values")
        _, tables = decoded(path.read_bytes())
        found = next(found for found in tables if found.head.name == REQUESTS)
        return dict(zip(found.keys, found.values, strict=True))  # type: ignore[arg-type]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        with suppress(OSError, http.client.HTTPException):
            if condition():
                return
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS} s"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def serve_by(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server: serve_by("uvicorn", "--workers", "2"); it is stopped at the end."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(program: str, *arguments: str, workers: int) -> Server:
        port, directory = free_port(), tmp_path / "metrics"
        place = {"uvicorn": ["--host", "127.0.0.1", "--port", str(port)], "gunicorn": ["-b", f"127.0.0.1:{port}"]}
        command = [sys.executable, "-m", program, "counting:app", *place[program], "--workers", str(workers)]
        environment = os.environ | {"METRICS_DIRECTORY": str(directory), "PYTHONPATH": str(SERVED)}
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen([*command, *arguments], env=environment, stdout=log, stderr=log)
        servers.append(process)
        server = Server(process, port, directory)
        wait_until(lambda: server.value("sergas_metrics_processes") == workers)
        return server

    yield start
    for process in servers:
        process.terminate()
    for process in servers:
        process.wait(DEADLINE_SECONDS)


GUNICORN = ("-k", "uvicorn_worker.UvicornWorker", "--graceful-timeout", "10")


@pytest.mark.parametrize(
    ("program", "arguments"), [("uvicorn", ()), ("gunicorn", GUNICORN)], ids=["uvicorn", "gunicorn"]
)
def test_any_worker_answers_for_all(serve_by: Callable[..., Server], program: str, arguments: tuple[str, ...]) -> None:
    server = serve_by(program, *arguments, workers=2)
    asked: Counter[int] = Counter()
    while len(asked) < 2:
        asked += server.ask(10)
    wait_until(lambda: server.value(REQUESTS, **COUNTED) == asked.total())
    for _ in range(6):
        found = server.samples()
        assert found[REQUESTS, tuple(sorted(COUNTED.items()))] == asked.total()
        route = (("method", "GET"), ("route", "/process"))
        assert found["sergas_http_request_duration_seconds_count", route] == asked.total()
        assert found["sergas_accounts_active_total", ()] == 7  # each worker says so: they do not add up
        assert found["sergas_metrics_processes", ()] == 2
        assert found["sergas_metrics_unreadable_files_total", ()] == 0


def test_a_killed_worker_takes_nothing_along_that_it_had_published(serve_by: Callable[..., Server]) -> None:
    server = serve_by("uvicorn", workers=3)
    answered: list[int] = []
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            with suppress(OSError, http.client.HTTPException, ValueError):
                answered.append(json.loads(server.get("/process")))

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    wait_until(lambda: len(Counter(answered)) == 3 and len(answered) > 200)
    victim = answered[-1]
    wait_until(lambda: sum(server.published(victim).values()) > 0)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(Counter(answered)) == 4)  # uvicorn starts another
    over.set()
    for client in clients:
        client.join()
    kept = sum(server.published(victim).values())
    survivors = sum(count for process, count in Counter(answered).items() if process != victim)
    wait_until(lambda: server.value(REQUESTS, **COUNTED) >= survivors + kept)
    assert server.value(REQUESTS, **COUNTED) == survivors + kept
    wait_until(lambda: not [*server.directory.glob(f"{victim}-*")])  # the sum of the dead holds it now
    assert server.value(REQUESTS, **COUNTED) == survivors + kept
    assert server.value("sergas_metrics_processes") == 3


def test_what_a_killed_worker_had_in_progress_is_over(serve_by: Callable[..., Server]) -> None:
    server = serve_by("uvicorn", workers=2)
    waiting = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(8)]
    for connection in waiting:
        connection.request("GET", "/never")
    wait_until(lambda: server.value("sergas_http_requests_in_progress") == 8)
    for process in server.ask(20):
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: server.value("sergas_http_requests_in_progress") == 0)
    for connection in waiting:
        connection.close()


def test_recycled_workers_lose_no_count_and_leave_no_files(serve_by: Callable[..., Server]) -> None:
    server = serve_by("gunicorn", *GUNICORN, "--preload", "--max-requests", "15", workers=2)
    answered: list[int] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            with suppress(OSError, http.client.HTTPException, ValueError):
                answered.append(json.loads(server.get("/process")))

    def watch() -> None:
        before: Samples = {}
        try:
            while not over.is_set():
                with suppress(OSError, http.client.HTTPException):
                    now = server.samples()
                    fallen = {name: (before[name], now.get(name)) for name in before if now.get(name, 0) < before[name]}
                    assert not fallen
                    before = {name: value for name, value in now.items() if is_cumulative(name[0])}
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for work in (load, load, watch)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(Counter(answered)) >= 8 or failures)
    over.set()
    for thread in threads:
        thread.join()
    assert not failures
    wait_until(lambda: server.value(REQUESTS, **COUNTED) >= len(answered))
    assert server.value(REQUESTS, **COUNTED) == len(answered)
    wait_until(lambda: server.value("sergas_metrics_processes") == 3)  # the master has something to say too
    assert len([*server.directory.glob("*-*.lock")]) <= 4


def is_cumulative(name: str) -> bool:
    return name.endswith(("_total", "_count", "_sum", "_bucket")) and name not in (
        "sergas_accounts_active_total",
        "sergas_memory_graph_nodes_total",
        "sergas_memory_graph_relationships_total",
    )


def test_a_worker_that_shuts_down_publishes_what_it_recorded_last(serve_by: Callable[..., Server]) -> None:
    server = serve_by("uvicorn", workers=2)
    asked = server.ask(30)
    server.process.terminate()
    server.process.wait(DEADLINE_SECONDS)
    assert sum(sum(server.published(process).values()) for process in asked) >= 30


def test_a_new_run_begins_at_zero(serve_by: Callable[..., Server], tmp_path: Path) -> None:
    first = serve_by("uvicorn", workers=2)
    asked = first.ask(5).total()
    wait_until(lambda: first.value(REQUESTS, **COUNTED) == asked)
    first.process.terminate()
    first.process.wait(DEADLINE_SECONDS)
    assert [*first.directory.glob("*-*.values")]
    second = serve_by("uvicorn", workers=2)
    assert second.value(REQUESTS, **COUNTED) == 0
    assert len([*second.directory.glob("*-*.lock")]) == 2
