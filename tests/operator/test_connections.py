"""Connections to the API server: requests go on however many watches there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from kubernetes.aio import client

from sergas_operator.cluster import api_server
from sergas_operator.cluster.api_server import ApiServer

SECONDS = 10.0
WATCHES = api_server.CONNECTIONS + 50


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, asyncio.Semaphore]]:
    """An API server whose watches never end, and the number of watches that it has answered."""
    opened = asyncio.Semaphore(0)

    async def handle(request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.json_response({"kind": "Status"})
        response = web.StreamResponse()
        await response.prepare(request)
        opened.release()
        await asyncio.Event().wait()
        return response

    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", opened
    await runner.cleanup()


async def test_many_watches_leave_connections_for_requests(server: tuple[str, asyncio.Semaphore]) -> None:
    url, opened = server
    configuration = client.Configuration()
    configuration.host = url
    api = ApiServer(configuration)

    async def watch() -> None:
        async for _ in api.watch("/apis/example", "watch examples", {}):
            pass

    watches = [asyncio.create_task(watch()) for _ in range(WATCHES)]
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(WATCHES):
                await opened.acquire()
            answer = await api.request("GET", "/apis/example", "get an example")
        assert answer == {"kind": "Status"}
    finally:
        for task in watches:
            task.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await api.close()
