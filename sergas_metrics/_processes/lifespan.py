"""When a worker of an ASGI server begins to publish, and when it does so last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .publisher import Publisher

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Published:
    """An application in a process that publishes from its first connection on.

    A server's master that loads the application and serves nothing thus starts no thread, which its forks would lack.
    The last time is when the application has shut down: a server may end by a signal, which leaves no other chance.

    Args:
        app: The application.
        publisher: Publishes what the process records.
    """

    def __init__(self, app: App, publisher: Publisher) -> None:
        self._app = app
        self._publisher = publisher

    def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one connection."""
        self._publisher.start()
        if scope["type"] == "lifespan":
            return self._app(scope, receive, self._noticing(send))
        return self._app(scope, receive, send)

    def _noticing(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                self._publisher.publish()
            await send(message)

        return sent
