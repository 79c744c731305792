"""A loopback proxy in front of the API server, which cuts, truncates or refuses chosen requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import aiohttp
import yaml
from aiohttp import web
from controlplane import TOKENS, ControlPlane, free_port

# What happens to a request: its answer ends in the middle of the JSON, its connection is refused, or a running watch
# is cut.
Fault = Literal["truncate", "refuse", ""]


@dataclass
class Proxy:
    """One proxy. `fault` decides for each request by its method, path and whether it is a watch.

    Attributes:
        seen: the faults that happened, with the paths.
    """

    control_plane: ControlPlane
    fault: Callable[[str, str, bool], Fault] = lambda *_: ""
    port: int = field(default_factory=free_port)
    seen: list[tuple[str, str]] = field(default_factory=list)
    _watches: set[asyncio.Task[object]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _ready: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Serve until `stop`, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End the thread with all connections."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()
        self._loop.close()

    def cut_watches(self) -> int:
        """Cut every running watch and return how many there were."""

        async def cut() -> int:
            found = list(self._watches)
            for task in found:
                task.cancel()
            return len(found)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result()

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig of the operator's user that goes through the proxy."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "operator", "user": {"token": TOKENS["sergas-operator"]}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "operator"}}],
            "current-context": "proxy",
        }
        path = folder / "proxy.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stopped = asyncio.Event()
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        connector = aiohttp.TCPConnector(ssl=self.control_plane.tls)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=False) as self._session:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self._ready.set()
            await self._stopped.wait()
            for task in self._watches:
                task.cancel()
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        watch = request.query.get("watch", "") in {"1", "true"}
        fault = self.fault(request.method, request.path, watch)
        if fault:
            self.seen.append((fault, request.path))
        if fault == "refuse":
            assert request.transport
            request.transport.abort()
            return web.Response(status=500)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in {"host", "accept-encoding"}
        }
        url = self.control_plane.url + request.raw_path
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=await request.read() or None,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer:
            content_type = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            if not watch:
                body = await answer.read()
                body = body[: len(body) // 2] if fault == "truncate" else body
                return web.Response(status=answer.status, body=body, headers=content_type)
            return await self._stream(request, answer, content_type, truncate=fault == "truncate")

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse, headers: dict[str, str], *, truncate: bool
    ) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task
        self._watches.add(task)
        response = web.StreamResponse(status=answer.status, headers=headers)
        try:
            await response.prepare(request)
            async for line in answer.content:
                await response.write(line[: len(line) // 2] + b"\n" if truncate else line)
        except asyncio.CancelledError:
            assert request.transport
            request.transport.abort()
        finally:
            self._watches.discard(task)
        return response
