"""A client of a Zoho that is simulated: calls take time, and a quota of calls per minute runs out."""

from __future__ import annotations

import asyncio
import random
import time

from sergas_metrics import MetricsCollector

from .faults import FaultSwitches

WINDOW_SECONDS = 60


class ZohoRateLimitError(Exception):
    """Zoho refused a call: its quota is used up."""


class ZohoClient:
    """Calls Zoho and records each call."""

    def __init__(self, metrics: MetricsCollector, faults: FaultSwitches, quota: int) -> None:
        self._metrics = metrics.zoho
        self._faults = faults
        self._quota = quota
        self._remaining = quota
        self._window_ends = 0.0

    async def fetch_account(self, account_id: int) -> dict[str, object]:
        """An account as Zoho has it.

        Raises:
            ZohoRateLimitError: The quota is used up, or the fault ``zoho_rate_limit`` is on.
        """
        with self._metrics.call("accounts") as call:
            self._spend()
            if self._remaining < 0:
                call.status = 429
                raise ZohoRateLimitError("Zoho allows no more calls in this minute")
            await asyncio.sleep(random.uniform(0.005, 0.03))
            call.status = 200
            return {"id": account_id, "revenue": random.randint(10_000, 5_000_000)}

    def _spend(self) -> None:
        now = time.monotonic()
        if now >= self._window_ends:
            self._window_ends = now + WINDOW_SECONDS
            self._remaining = self._quota
        self._remaining = -1 if self._faults.current.zoho_rate_limit else max(-1, self._remaining - 1)
        self._metrics.set_rate_limit_remaining(max(0, self._remaining))
