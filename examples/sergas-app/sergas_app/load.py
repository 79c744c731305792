"""Load that the application makes for itself."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx

from .recommendations import REJECTION_REASONS

log = logging.getLogger("sergas_app.load")

MOST_AT_ONCE = 200
TICK_SECONDS = 0.05


class Load:
    """Starts pieces of work at a rate, no matter how long each takes, up to 200 at once.

    Attributes:
        rate: Pieces of work per second; may be changed at any time.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Make load until cancelled."""
        loop = asyncio.get_running_loop()
        last, owed = loop.time(), 0.0
        try:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                now = loop.time()
                owed += (now - last) * self.rate
                last = now
                started, owed = divmod(owed, 1)
                for _ in range(int(started)):
                    self._start(work)
        finally:
            for task in self._under_way:
                task.cancel()

    def _start(self, work: Callable[[], Awaitable[None]]) -> None:
        if len(self._under_way) < MOST_AT_ONCE:
            task = asyncio.ensure_future(_run(work))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    with suppress(httpx.TransportError):  # the server stops before its own load does
        await work()


def random_request(accounts: int) -> tuple[str, str]:
    """Method and path of a request as account managers make them."""
    account, reason = random.randint(1, accounts), random.choice(REJECTION_REASONS)
    choices = {
        ("GET", "/accounts"): 30,
        ("GET", f"/accounts/{account}"): 35,
        ("GET", f"/accounts/{account}/recommendations"): 15,
        ("POST", f"/accounts/{account}/sync"): 12,
        ("POST", f"/accounts/{account}/recommendations/upsell/accept"): 5,
        ("POST", f"/accounts/{account}/recommendations/upsell/reject?reason={reason}"): 2,
        ("GET", f"/accounts/{accounts + account}"): 2,
        ("GET", f"/no-such-page/{account}"): 1,
    }
    return random.choices(list(choices), weights=list(choices.values()))[0]


async def request_at_random(client: httpx.AsyncClient, accounts: int) -> None:
    """Send one request and read its answer."""
    method, path = random_request(accounts)
    await client.request(method, path)
