"""A small metrics server for agents and other processes that serve no HTTP."""

from __future__ import annotations

import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from ._collector import MetricsCollector
from ._endpoint import UNAUTHORIZED, checked_token, is_authorized, page_of
from ._render import registry_of
from ._store import publisher_of


class MetricsServer:
    """A metrics server that runs in a thread of its own until closed. As a context manager it closes at the end.

    Attributes:
        port: The port it listens on.
    """

    def __init__(self, server: ThreadingHTTPServer, thread: Thread) -> None:
        self._server = server
        self._thread = thread
        self.port: int = server.server_port

    def close(self) -> None:
        """Stop listening, and wait for the thread to end. Closing twice is harmless."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        """The server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close the server."""
        self.close()


def serve(
    port: int,
    *,
    address: str = "0.0.0.0",  # noqa: S104  # Prometheus scrapes a pod by its address, not by loopback
    source: MetricsCollector | CollectorRegistry | None = None,
    metrics_token: str | None = None,
) -> MetricsServer:
    """Serve metrics over HTTP from a background thread, and publish them where a collector has a ``directory``.

    Args:
        port: The TCP port; 0 takes a free one, see ``MetricsServer.port``.
        address: The address to listen on; every IPv4 interface when left out.
        source: A collector or a registry; the default registry when left out.
        metrics_token: If given, only requests with ``Authorization: Bearer <token>`` are answered; others get 401.

    Raises:
        OSError: The port is taken.
        ValueError: The token is empty.
    """
    registry = registry_of(source)
    handler = _handler(registry, checked_token(metrics_token))
    server = (_IPv6Server if ":" in address else _IPv4Server)((address, port), handler)
    thread = Thread(target=server.serve_forever, name="sergas-metrics-server", daemon=True)
    thread.start()
    publisher = publisher_of(registry)
    if publisher is not None:
        publisher.start()
        publisher.publish()
    return MetricsServer(server, thread)


class _IPv4Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking DNS for the host's name, which the library has no use for and which may take long."""
        TCPServer.server_bind(self)
        self.server_port = self.server_address[1]


class _IPv6Server(_IPv4Server):
    address_family = socket.AF_INET6


def _handler(registry: CollectorRegistry, token: str | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers scrapes on any path."""

        def do_GET(self) -> None:  # http.server's name
            """Answer with the metrics."""
            if not is_authorized(self.headers.get("Authorization", ""), token):
                self._answer(HTTPStatus.UNAUTHORIZED, {"www-authenticate": "Bearer"}, UNAUTHORIZED)
                return
            accept, encoding = (self.headers.get(name, "") for name in ("Accept", "Accept-Encoding"))
            self._answer(HTTPStatus.OK, *page_of(accept, encoding, urlsplit(self.path).query).render(registry))

        do_HEAD = do_GET  # noqa: N815  # http.server's name

        def log_message(self, format: str, *args: object) -> None:  # http.server's name
            """Log nothing: scrapes come every few seconds."""

        def _answer(self, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
