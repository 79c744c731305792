"""The operator's liveness and readiness, served by a thread so that a stuck event loop is noticed as well."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

QUEUE_SECONDS = 180.0
LOOP_SECONDS = 20.0


@dataclass
class Health:
    """What is wrong, as last reported by the event loop.

    Attributes:
        waiting: why the operator is not ready; empty when it is.
        problems: why the process must be restarted; empty when it works.
    """

    clock: Callable[[], float] = time.monotonic
    waiting: Sequence[str] = ("the operator has not started yet",)
    problems: Sequence[str] = ()
    reported: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.reported = self.clock()

    def report(self, problems: Sequence[str]) -> None:
        """Report what is wrong now. The event loop calls it every few seconds."""
        self.problems, self.reported = tuple(problems), self.clock()

    def live(self) -> tuple[bool, str]:
        """Whether the process works, and why not."""
        silent = self.clock() - self.reported
        if silent > LOOP_SECONDS:
            return False, f"the event loop has been stuck for {silent:.0f} s"
        return (False, "; ".join(self.problems)) if self.problems else (True, "ok")

    def is_ready(self) -> tuple[bool, str]:
        """Whether the operator serves every namespace, and why not."""
        return (False, "; ".join(self.waiting)) if self.waiting else (True, "ok")


def symptoms(*, lateness: float, since_resync: float, resync_seconds: float) -> list[str]:
    """Return what is wrong with the controller, in sentences.

    Args:
        lateness: seconds by which the most overdue reconcile is late.
        since_resync: seconds since the namespaces were last listed.
        resync_seconds: the interval between two lists.
    """
    found = []
    if lateness > QUEUE_SECONDS:
        found.append(f"the queue has stalled: a reconcile is late by {lateness:.0f} s")
    if since_resync > 2 * resync_seconds + 60:
        found.append(f"the resync has stalled: the last one was {since_resync:.0f} s ago")
    return found


def serve(health: Health, port: int) -> ThreadingHTTPServer:
    """Serve /healthz and /readyz on `port` (0 takes a free one) until `shutdown` is called."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server calls
            checks = {"/healthz": health.live, "/readyz": health.is_ready}
            check = checks.get(self.path)
            if check is None:
                self._answer(404, "not found: use /healthz or /readyz")
                return
            good, text = check()
            self._answer(200 if good else 503, text)

        def log_message(self, format: str, *args: object) -> None:  # the name of the overridden argument
            """Logs nothing: probes come every few seconds."""

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
