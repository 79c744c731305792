"""Keeps the loops alive that must not end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("sergas_operator")

FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 1.0, 30.0


async def supervise(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run `loop` until cancelled, and start it again whenever it ends or raises, with growing waits."""
    now = asyncio.get_running_loop().time
    wait = FIRST_WAIT_SECONDS
    while True:
        began = now()
        try:
            await loop()
            log.error("%s ended unexpectedly: it starts again in %d s", name, wait)
        except Exception:
            log.exception("%s failed: it starts again in %d s", name, wait)
        # A loop that ran for a while has recovered.
        wait = FIRST_WAIT_SECONDS if now() - began > LAST_WAIT_SECONDS else min(2 * wait, LAST_WAIT_SECONDS)
        await asyncio.sleep(wait)
