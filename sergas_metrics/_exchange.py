"""One HTTP request and its response, watched from outside the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from types import MethodType
from typing import Any, Final, Protocol

from ._boundary import failed, guarded

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLIENT_CLOSED: Final = 499
"""The status of a request whose client left before its response was complete."""

SCOPE_KEY: Final = "sergas_metrics.exchange"
"""Where a request's exchange stands in its scope."""


class Watcher(Protocol):
    """Records exchanges.

    Attributes:
        owner: Whom they are recorded for.
    """

    owner: object

    def record(self, scope: Scope, status: int | None, seconds: float) -> None:
        """An exchange ended with a status, some seconds after its start; with ``None`` if it does not count."""


class Exchange:
    """Wraps ``receive`` and ``send`` of one request, and reports once how it ended.

    The end is the last byte of the response; what the application does after it, such as background tasks, is not part
    of the request. Without a complete response it is the moment the application gave up.

    Args:
        scope: The request's scope.
        receive: The server's ``receive``.
        send: The server's ``send``.
        watcher: Records how it ended.
        outer: The exchange of another collector that already watches the request.

    Attributes:
        done: Whether it is recorded.
    """

    __slots__ = ("_left", "_outer", "_receive", "_scope", "_send", "_start", "_status", "_trailers", "_watcher", "done")

    def __init__(self, scope: Scope, receive: Receive, send: Send, watcher: Watcher, outer: Exchange | None) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._watcher = watcher
        self._outer = outer
        self._status = 500
        self._trailers = False
        self._left = 0.0
        self.done = False
        self._start = perf_counter()

    async def receive(self) -> Message:
        """Pass a message on to the application, and note when it says that the client is gone."""
        message = await self._receive()
        try:
            if message.get("type") == "http.disconnect":
                self._note_departure()
        except Exception:
            failed("http")
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on to the client, and note when it completes the response."""
        last = left = False
        try:
            kind = message.get("type")
            if kind == "http.response.start":
                self._status = message.get("status", 500)
                self._trailers = message.get("trailers", False)
            elif kind == "http.response.body" and not self._trailers:
                last = not message.get("more_body", False)
            else:
                last = self._completes(kind, message)
            left = last and self._client_left()
        except Exception:
            failed("http")
        try:
            await self._send(message)
        except OSError:
            # ASGI 2.4: this is how a server says that the client is gone.
            guarded("http", self._note_departure)
            raise
        if last:
            try:  # not by ``guarded``: a call less for every request
                self.finish(CLIENT_CLOSED if left else self._status)
            except Exception:
                failed("http")

    def ended(self, error: BaseException | None = None) -> bool:
        """The application returned or raised. After a complete response the request's status stays as it was.

        Without a whole response the server answers 500 or cuts the connection.

        Returns:
            Whether it raised an error, and not that a client left or a task was cancelled.
        """
        # A server that stops cancels tasks too; what looks like a departure from inside is one if the client left.
        if error is None or isinstance(error, OSError) or not isinstance(error, Exception):
            departed = self._client_left()
        else:
            departed = type(error).__name__ == "ClientDisconnect"
        self.finish(CLIENT_CLOSED if departed else 500)
        return isinstance(error, Exception) and not departed

    def finish(self, status: int | None) -> None:
        """Record how the request ended, unless that is done; with ``None``, that it does not count."""
        if not self.done:
            self.done = True
            end = self._left if status == CLIENT_CLOSED and self._left else perf_counter()
            self._watcher.record(self._scope, status, end - self._start)

    def withdraw(self) -> None:
        """Do not count this exchange, as if it had not been watched."""
        self.finish(None)
        if self._outer is not None:
            self._outer.withdraw()

    def is_watched_for(self, watcher: Watcher) -> bool:
        """Whether this exchange, or one around it, is recorded for the same owner."""
        mine = self._watcher.owner is watcher.owner
        return mine or (self._outer is not None and self._outer.is_watched_for(watcher))

    def _completes(self, kind: object, message: Message) -> bool:
        """Whether a message that is no usual part of a body is the last one of the response."""
        if kind == "http.response.trailers":
            return not message.get("more_trailers", False)
        if kind == "http.response.zerocopysend":
            return not (message.get("more_body", False) or self._trailers)
        return kind == "http.response.pathsend"

    def _note_departure(self) -> None:
        if not self.done and not self._left:
            self._left = perf_counter()

    def _client_left(self) -> bool:
        """Whether the client is known to have left before the response was complete.

        An application that does not read from ``receive`` is never told, and uvicorn drops what is sent to nobody, so
        uvicorn's own record of it is consulted where ``receive`` is uvicorn's.
        """
        receive = self._receive
        return bool(self._left or (type(receive) is MethodType and getattr(receive.__self__, "disconnected", False)))
