"""A TCP proxy on loopback between the operator and the API server, which a test can cut."""

from __future__ import annotations

import asyncio
import threading
from typing import Any


class TcpProxy:
    """Forwards connections to a loopback port, in a thread of its own. TLS passes through unchanged.

    Attributes:
        port: where it listens.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._served: set[asyncio.Future[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Close every connection, and refuse new ones until `restore`. Events are lost meanwhile."""
        self._call(self._set_open(False))

    def restore(self) -> None:
        """Accept connections again."""
        self._call(self._set_open(True))

    def stop(self) -> None:
        """End the proxy."""
        self._server.close()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _set_open(self, value: bool) -> None:
        self._open = value
        if not value:
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.gather(*self._served)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._target)
        pair = {writer, upstream_writer}
        self._writers |= pair
        try:
            copies = asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))
            self._served.add(copies)
            await copies
        finally:
            self._served.discard(copies)
            self._writers -= pair


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
