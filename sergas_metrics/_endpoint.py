"""The metrics endpoint: what a scrape asks for, whether it may, and the ASGI application that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from hmac import compare_digest
from os import getpid
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry

from ._collector import MetricsCollector
from ._exchange import SCOPE_KEY, Receive, Send
from ._render import registry_of, render_in_turns

READS: Final = ("GET", "HEAD")
UNAUTHORIZED: Final = b"Send the metrics token, as in: curl -H 'Authorization: Bearer TOKEN'\n"

Headers = dict[str, str]


class Page(NamedTuple):
    """What one scrape asks for.

    Attributes:
        accept: The ``Accept`` header.
        gzipped: Whether the client takes gzip.
        names: The samples it wants; all of them if empty.
    """

    accept: str = ""
    gzipped: bool = False
    names: tuple[str, ...] = ()

    def render(self, registry: CollectorRegistry) -> tuple[Headers, bytes]:
        """The headers and the body of the answer."""
        body, content_type = render_in_turns(registry, self.accept, self.names, gzipped=self.gzipped)
        headers = {"content-type": content_type, "vary": "accept, accept-encoding"}
        return headers | ({"content-encoding": "gzip"} if self.gzipped else {}), body


def page_of(accept: str, accept_encoding: str, query: str) -> Page:
    """The page that headers and query describe."""
    return Page(accept, _takes_gzip(accept_encoding), tuple(sorted(parse_qs(query).get("name[]", ()))))


def is_authorized(authorization: str, token: str | None) -> bool:
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


def _takes_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        if coding == "gzip":
            return not any(_is_zero(parameter) for parameter in parameters)
    return False


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0") in ("", ".", "0.")


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
            exchange.withdraw()
        if scope["method"] not in READS:
            await _answer(send, scope, 405, {"allow": "GET, HEAD"}, b"Use GET to read metrics.\n")
        elif not is_authorized(_header(scope, b"authorization"), self._token):
            await _answer(send, scope, 401, {"www-authenticate": "Bearer"}, UNAUTHORIZED)
        else:
            await _answer(send, scope, 200, *await self._rendered(_page(scope)))

    async def _rendered(self, page: Page) -> tuple[Headers, bytes]:
        if self._process != getpid():  # a forked process has none of its parent's threads
            self._process = getpid()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sergas-metrics")
            self._under_way: dict[tuple[Page, int], asyncio.Future[tuple[Headers, bytes]]] = {}
        loop, waiting = asyncio.get_running_loop(), self._under_way
        key = (page, id(loop))
        if key not in waiting:
            waiting[key] = loop.run_in_executor(self._thread, page.render, self._registry)
            waiting[key].add_done_callback(lambda _: waiting.pop(key, None))
        # One scrape that is cancelled must not take the others' answer away.
        return await asyncio.shield(waiting[key])


def _page(scope: MutableMapping[str, Any]) -> Page:
    query: bytes = scope.get("query_string", b"")
    return page_of(_header(scope, b"accept"), _header(scope, b"accept-encoding"), query.decode("latin-1"))


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


async def _answer(send: Send, scope: MutableMapping[str, Any], status: int, headers: Headers, body: bytes) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in {**headers, "content-length": str(len(body))}.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
