"""A small metrics server for agents and other processes that serve no HTTP."""

from __future__ import annotations

from threading import Thread
from types import TracebackType
from typing import Any, Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from ._collector import MetricsCollector
from ._guard import GuardedRegistry
from ._rendering import registry_of


class MetricsServer:
    """A metrics server that runs in a thread of its own until closed. As a context manager it closes at the end.

    Attributes:
        port: The port it listens on.
    """

    def __init__(self, server: WSGIServer, thread: Thread) -> None:
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
) -> MetricsServer:
    """Serve metrics over HTTP from a background thread.

    Args:
        port: The TCP port; 0 takes a free one, see ``MetricsServer.port``.
        address: The address to listen on; every IPv4 interface when left out.
        source: A collector or a registry; the default registry when left out.

    Raises:
        OSError: The port is taken.
    """
    registry: Any = GuardedRegistry(registry_of(source))
    server, thread = start_http_server(port, address, registry=registry)
    return MetricsServer(server, thread)
