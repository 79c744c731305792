"""The operator's own liveness and readiness, served by a thread so that a stuck event loop is told as well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# kopf reconnects a silent watch after 70 s; one that has not come back after twice that time will not.
WATCH_SECONDS = 150.0
QUEUE_SECONDS = 180.0
LOOP_SECONDS = 20.0


@dataclass
class Health:
    """What is wrong, as of the last beat of the event loop."""

    clock: Callable[[], float] = time.monotonic
    ready: bool = False
    problems: Sequence[str] = ()
    beaten: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.beaten = self.clock()

    def beat(self, problems: Sequence[str]) -> None:
        """Called by the event loop every few seconds with what is wrong now."""
        self.problems, self.beaten = tuple(problems), self.clock()

    def live(self) -> tuple[bool, str]:
        """Whether the process should be left running, and why not."""
        silent = self.clock() - self.beaten
        if silent > LOOP_SECONDS:
            return False, f"the event loop has been stuck for {silent:.0f} s"
        return (False, "; ".join(self.problems)) if self.problems else (True, "ok")

    def is_ready(self) -> tuple[bool, str]:
        """Whether every namespace has been listed once."""
        return (True, "ok") if self.ready else (False, "not every namespace has been listed yet")


def symptoms(*, debt: float, awaited: object, lateness: float, since_resync: float, resync_seconds: float) -> list[str]:
    """What is wrong with the operator's inner works, in sentences.

    Args:
        debt: seconds an event has been missing from its watch.
        awaited: the object it is about.
        lateness: seconds by which the most overdue pass is late.
        since_resync: seconds since every namespace was last listed.
        resync_seconds: how often they should be.
    """
    found = []
    if debt > WATCH_SECONDS:
        found.append(f"a watch has stalled: it has not told of {awaited} for {debt:.0f} s")
    if lateness > QUEUE_SECONDS:
        found.append(f"the queue has stalled: a pass is late by {lateness:.0f} s")
    if since_resync > 2 * resync_seconds + 60:
        found.append(f"the resync has stalled: the last one was {since_resync:.0f} s ago")
    return found


def serve(health: Health, port: int) -> ThreadingHTTPServer:
    """Serves /healthz and /readyz on `port` (0 takes a free one) until `shutdown` is called."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server calls
            checks = {"/healthz": health.live, "/readyz": health.is_ready}
            check = checks.get(self.path)
            if check is None:
                self._answer(404, "there is /healthz and /readyz")
                return
            good, text = check()
            self._answer(200 if good else 503, text)

        def log_message(self, format: str, *args: object) -> None:  # the name of the overridden argument
            """Probes come every few seconds and are not worth a line each."""

        def _answer(self, code: int, text: str) -> None:
            body = f"{text}\n".encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
