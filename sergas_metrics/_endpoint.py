"""The metrics page: what a scrape asks for, whether it may, and two servers of it, by ASGI and by a thread."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import getpid
from socketserver import TCPServer
from threading import Thread
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry

from ._boundary import guarded
from ._collector import MetricsCollector
from ._exchange import SCOPE_KEY, Receive, Send
from ._render import registry_of, render_in_turns
from ._store import publisher_of

READS: Final = ("GET", "HEAD")

Answer = tuple[int, dict[str, str], bytes]
"""A status, headers and a body."""

_UNAUTHORIZED: Final[Answer] = (
    401,
    {"www-authenticate": "Bearer"},
    b"Send the metrics token, as in: curl -H 'Authorization: Bearer TOKEN'\n",
)
_NOT_ALLOWED: Final[Answer] = (405, {"allow": "GET, HEAD"}, b"Use GET to read metrics.\n")


class _Page(NamedTuple):
    """What one scrape asks for.

    Attributes:
        accept: The ``Accept`` header.
        gzipped: Whether the client takes gzip.
        names: The samples it wants; all of them if empty.
    """

    accept: str
    gzipped: bool
    names: tuple[str, ...]

    @classmethod
    def asked_for(cls, accept: str, accept_encoding: str, query: str) -> _Page:
        """The page that headers and query describe."""
        return cls(accept, _takes_gzip(accept_encoding), tuple(sorted(parse_qs(query).get("name[]", ()))))

    def render(self, registry: CollectorRegistry) -> Answer:
        """The answer."""
        body, content_type = render_in_turns(registry, self.accept, self.names, gzipped=self.gzipped)
        headers = {"content-type": content_type, "vary": "accept, accept-encoding"}
        return 200, headers | ({"content-encoding": "gzip"} if self.gzipped else {}), body


def _takes_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        if coding == "gzip":
            return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0") in ("", ".", "0.")


def _is_authorized(authorization: str, token: str | None) -> bool:
    """Whether an ``Authorization`` header holds the token, if one is asked for. Takes as long for any wrong one."""
    scheme, _, given = authorization.partition(" ")
    return token is None or (scheme.lower() == "bearer" and compare_digest(given.strip().encode(), token.encode()))


def checked_token(token: str | None) -> str | None:
    """The token, unless it is one that would let everyone in.

    Raises:
        ValueError: The token is empty, as a variable of the environment that is not set often is.
    """
    if token is not None and not token.strip():
        raise ValueError("the metrics token is empty: give one that is not, or None to serve metrics to everyone")
    return token


def metrics_app(
    *, source: MetricsCollector | CollectorRegistry | None = None, metrics_token: str | None = None
) -> Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]:
    """An ASGI application that serves a registry's metrics, whatever their origin, to Prometheus.

    It answers in the text format or in OpenMetrics, as the ``Accept`` header asks, compressed where the client takes
    gzip, and only the metrics named by ``?name[]=`` if there are any. Metrics are rendered in a thread, so that a large
    scrape does not hold up the event loop, and scrapes that arrive meanwhile share the result. A collector that raises
    costs its own metrics, not the scrape. The request itself is not recorded by ``MetricsMiddleware``.

    ``instrument`` and ``MetricsMiddleware(metrics_path=...)`` serve it already; use this to put it elsewhere, such as
    on a port of its own: ``uvicorn.run(metrics_app(), port=9000)``.

    Args:
        source: A collector or a registry; the default registry when left out.
        metrics_token: If given, only requests with ``Authorization: Bearer <token>`` are answered; others get 401.

    Raises:
        ValueError: The token is empty.
    """
    return _Endpoint(registry_of(source), checked_token(metrics_token))


class _Endpoint:
    def __init__(self, registry: CollectorRegistry, token: str | None) -> None:
        self._registry = registry
        self._token = token
        self._process = 0

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the metrics endpoint answers HTTP alone, not a connection of type {scope['type']}")
        exchange = scope.get(SCOPE_KEY)
        if exchange is not None:
            guarded("http", exchange.withdraw)
        status, headers, body = await self._answer(scope)
        headers = {**headers, "content-length": str(len(body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: MutableMapping[str, Any]) -> Answer:
        if scope["method"] not in READS:
            return _NOT_ALLOWED
        if not _is_authorized(_header(scope, b"authorization"), self._token):
            return _UNAUTHORIZED
        query = scope.get("query_string", b"").decode("latin-1")
        page = _Page.asked_for(_header(scope, b"accept"), _header(scope, b"accept-encoding"), query)
        if self._process != getpid():  # a forked process has none of its parent's threads
            self._process = getpid()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sergas-metrics")
            self._under_way: dict[tuple[_Page, int], asyncio.Future[Answer]] = {}
        loop, waiting = asyncio.get_running_loop(), self._under_way
        key = (page, id(loop))
        if key not in waiting:
            waiting[key] = loop.run_in_executor(self._thread, page.render, self._registry)
            waiting[key].add_done_callback(lambda _: waiting.pop(key, None))
        # One scrape that is cancelled must not take the others' answer away.
        return await asyncio.shield(waiting[key])


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


class MetricsServer:
    """A metrics server that runs in a thread of its own until closed. As a context manager it closes at the end.

    Attributes:
        port: The port it listens on.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self._thread = Thread(target=server.serve_forever, name="sergas-metrics-server", daemon=True)
        self._thread.start()
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
    kind = _IPv6Server if ":" in address else _IPv4Server
    server = MetricsServer(kind((address, port), _handler(registry, checked_token(metrics_token))))
    publisher = publisher_of(registry)
    if publisher is not None:
        publisher.start()
        publisher.publish()
    return server


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
            authorization, accept, encoding = (
                self.headers.get(name, "") for name in ("Authorization", "Accept", "Accept-Encoding")
            )
            page = _Page.asked_for(accept, encoding, urlsplit(self.path).query)
            status, headers, body = page.render(registry) if _is_authorized(authorization, token) else _UNAUTHORIZED
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  # http.server's name

        def log_message(self, format: str, *args: object) -> None:  # http.server's name
            """Log nothing: scrapes come every few seconds."""

    return Handler
