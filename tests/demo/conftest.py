"""The demo's modules on the path, and the sink's real servers on loopback."""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

DEMO = Path(__file__).parents[2] / "examples" / "demo"
sys.path[:0] = [str(DEMO), str(DEMO / "sink")]

from sergas_sink.journal import Journal  # noqa: E402  after the path is set
from sergas_sink.smtp import Credentials, serve  # noqa: E402
from sergas_sink.web import application  # noqa: E402

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class RunningSink:
    """Both servers, listening."""

    web: httpx.Client
    smtp_port: int
    journal: Journal

    def forget(self) -> None:
        """Be as just started: a server for each test would cost a quarter of a second."""
        vars(self.journal).update(vars(Journal()))

    def received(self, **wanted: str | int) -> list[dict[str, object]]:
        """The notifications that match, as the sink answers them."""
        return self.web.get("/notifications", params=wanted).raise_for_status().json()

    def rejected(self) -> list[dict[str, object]]:
        """The refusals, as the sink answers them."""
        return self.web.get("/rejections").raise_for_status().json()


@contextmanager
def running(credentials: Credentials | None = None) -> Iterator[RunningSink]:
    """Serve HTTP and SMTP on free ports from a thread of their own."""
    ready, stop = threading.Event(), []
    ports: list[int] = []
    # A socket that already listens queues connections until the server takes them: nothing to wait for.
    listening = socket.create_server((LOOPBACK, 0))

    journal = Journal()

    async def serve_both() -> None:
        mail = await serve(journal, LOOPBACK, 0, credentials)
        config = uvicorn.Config(application(journal), log_level="warning")
        web = uvicorn.Server(config)
        stop.append(lambda: setattr(web, "should_exit", True))
        ports.append(mail.sockets[0].getsockname()[1])
        ready.set()
        async with mail:
            await web.serve([listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve_both()), daemon=True)
    thread.start()
    assert ready.wait(20), "the sink did not start within 20 s"
    with httpx.Client(base_url=f"http://{LOOPBACK}:{listening.getsockname()[1]}") as web:
        yield RunningSink(web, ports[0], journal)
    stop[0]()
    thread.join(20)


@pytest.fixture(scope="session")
def open_servers() -> Iterator[RunningSink]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def servers_with_login() -> Iterator[RunningSink]:
    with running(Credentials("alerts", "s3cret")) as started:
        yield started


@pytest.fixture
def sink(open_servers: RunningSink) -> RunningSink:
    """A sink that takes mail without a login."""
    open_servers.forget()
    return open_servers


@pytest.fixture
def sink_with_login(servers_with_login: RunningSink) -> RunningSink:
    """A sink that takes mail from user `alerts`, password `s3cret`, alone."""
    servers_with_login.forget()
    return servers_with_login


@pytest.fixture
def slack_message() -> Callable[..., dict[str, object]]:
    """Make a payload of the shape Alertmanager posts to Slack."""

    def make(status: str = "FIRING:1", **fields: object) -> dict[str, object]:
        title = f"[{status}] HighErrorRate (sergas-api)"
        attachment = {
            "title": title,
            "title_link": "http://alertmanager:9093/#/alerts",
            "text": "9 % of requests fail",
            "fallback": title,
            "mrkdwn_in": ["fallback", "pretext", "text"],
            "color": "danger",
        }
        return {"channel": "#critical", "username": "Alertmanager", "attachments": [attachment]} | fields

    return make


@pytest.fixture
def pagerduty_event() -> Callable[..., dict[str, object]]:
    """Make an event of the shape Alertmanager posts to PagerDuty."""

    def make(**fields: object) -> dict[str, object]:
        payload = {
            "summary": "[FIRING:1] HighErrorRate (sergas-api)",
            "source": "Alertmanager",
            "severity": "critical",
            "custom_details": {"firing": "Labels:\n - alertname = HighErrorRate\n", "num_firing": "1"},
        }
        event = {
            "routing_key": "0123456789abcdef0123456789ab7777",
            "event_action": "trigger",
            "dedup_key": "a1b2",
            "client": "Alertmanager",
            "payload": payload,
        }
        return event | fields

    return make


@pytest.fixture
def webhook_payload() -> Callable[..., dict[str, object]]:
    """Make a payload of version 4 of Alertmanager's generic webhook."""

    def make(**fields: object) -> dict[str, object]:
        alert = {
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "severity": "critical"},
            "annotations": {"summary": "9 % of requests fail"},
            "startsAt": "2026-11-02T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": "c0ffee",
        }
        payload = {
            "version": "4",
            "groupKey": '{}:{alertname="HighErrorRate"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "hook",
            "groupLabels": {"alertname": "HighErrorRate"},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093",
            "alerts": [alert],
        }
        return payload | fields

    return make
