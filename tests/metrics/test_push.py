"""Pushes to a Pushgateway: paths, retries, and what is said when it does not take them."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import pytest

from sergas_metrics import MetricsCollector, PushError, push


class Pushed(NamedTuple):
    method: str
    path: str
    body: bytes


class Gateway:
    """A Pushgateway as far as HTTP goes: it notes what it gets and answers as it is told."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.pushed: list[Pushed] = []
        self.answers: list[tuple[int, bytes]] = []

    def answer(self, request: Pushed) -> tuple[int, bytes]:
        self.pushed.append(request)
        return self.answers.pop(0) if self.answers else (200, b"")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = state.answer(Pushed(self.command, self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT  # noqa: N815  # http.server's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Gateway(server.server_port)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("sergas_metrics._push.sleep", waited.append)
    return waited


def test_a_push_replaces_its_group_with_all_metrics(metrics: MetricsCollector, gateway: Gateway) -> None:
    metrics.zoho.record_synced(7)
    push(gateway.url, job="nightly", source=metrics)
    (pushed,) = gateway.pushed
    assert (pushed.method, pushed.path) == ("PUT", "/metrics/job/nightly")
    assert b"\nsergas_zoho_accounts_synced_total 7.0\n" in pushed.body


@pytest.mark.parametrize(
    ("grouping", "path"),
    [
        ({"tenant": "a b"}, "/tenant/a%20b"),
        ({"z": "1", "a": "2"}, "/a/2/z/1"),
        ({"path": "a/b"}, "/path@base64/YS9i"),
        ({"empty": ""}, "/empty@base64/="),
    ],
)
def test_a_group_is_told_by_its_path(
    metrics: MetricsCollector, gateway: Gateway, grouping: dict[str, str], path: str
) -> None:
    push(gateway.url + "/", job="nightly", source=metrics, grouping=grouping, replace=False)
    assert [(pushed.method, pushed.path) for pushed in gateway.pushed] == [("POST", f"/metrics/job/nightly{path}")]


def test_a_gateway_that_cannot_now_is_asked_again(
    metrics: MetricsCollector, gateway: Gateway, waits: list[float]
) -> None:
    gateway.answers = [(503, b""), (502, b"")]
    push(gateway.url, job="nightly", source=metrics)
    assert len(gateway.pushed) == 3
    assert waits == [0.5, 1.0]


def test_a_refusal_is_final_and_says_why(metrics: MetricsCollector, gateway: Gateway, waits: list[float]) -> None:
    gateway.answers = [(400, b"pushed metrics are inconsistent")]
    with pytest.raises(PushError) as refusal:
        push(gateway.url, job="nightly", source=metrics)
    assert str(refusal.value) == (
        f"cannot push metrics to {gateway.url}/metrics/job/nightly: it answered 400 Bad Request and said: "
        "pushed metrics are inconsistent"
    )
    assert waits == []


def test_a_gateway_that_is_not_there_is_named(metrics: MetricsCollector, waits: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(PushError) as refusal:
        push(url, job="nightly", source=metrics, attempts=2)
    assert str(refusal.value) == (
        f"cannot push metrics to {url}/metrics/job/nightly: [Errno 111] Connection refused. Look whether the URL is "
        "right and the gateway runs"
    )
    assert waits == [0.5]


@pytest.mark.parametrize(
    ("gateway_url", "job", "attempts", "message"),
    [
        ("gateway:9091", "x", 1, "a Pushgateway's URL begins with http:// or https://: write http://gateway:9091"),
        ("http://gateway:9091", "", 1, "a push needs a job: give the name of the batch job"),
        ("http://gateway:9091", "x", 0, "attempts must be 1 or more, not 0"),
    ],
)
def test_what_cannot_work_is_refused_at_once(gateway_url: str, job: str, attempts: int, message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        push(gateway_url, job=job, attempts=attempts)
    assert str(refusal.value) == message
