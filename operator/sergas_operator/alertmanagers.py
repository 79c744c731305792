"""Asks Alertmanager pods what configuration they run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

PORT = 9093
ANSWER_SECONDS = 2.0


async def receivers(addresses: Sequence[str]) -> list[list[str] | None]:
    """The names of the receivers each Alertmanager has loaded, in the order of `addresses`; None for one
    that does not answer.

    Takes 2 seconds at most, however many there are.
    """
    if not addresses:
        return []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)) as session:
        return list(await asyncio.gather(*(_ask(session, address) for address in addresses)))


async def _ask(session: aiohttp.ClientSession, address: str) -> list[str] | None:
    host = f"[{address}]" if ":" in address else address
    try:
        async with session.get(f"http://{host}:{PORT}/api/v2/receivers") as answer:
            answer.raise_for_status()
            return [str(receiver["name"]) for receiver in await answer.json()]
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
        return None
