"""A client of a Zoho that is simulated: calls take time, and a quota of calls per minute runs out."""

from __future__ import annotations

import asyncio
import random
import time

from sergas_metrics import MetricsCollector

from .accounts import Accounts
from .faults import FaultSwitches
from .mishaps import Mishaps

WINDOW_SECONDS = 60


class ZohoError(Exception):
    """Zoho did not do what it was asked for."""


class ZohoRateLimitError(ZohoError):
    """Zoho refused a call: its quota is used up, or too many were made at once."""


class ZohoTimeoutError(ZohoError):
    """Zoho did not answer in time."""


class ZohoClient:
    """Calls Zoho and records each call."""

    def __init__(self, metrics: MetricsCollector, faults: FaultSwitches, mishaps: Mishaps, quota: int) -> None:
        self._metrics = metrics.zoho
        self._faults = faults
        self._mishaps = mishaps
        self._quota = quota
        self._spent = 0
        self._window_ends = 0.0

    async def fetch_account(self, account_id: int) -> dict[str, object]:
        """An account as Zoho has it.

        Raises:
            ZohoRateLimitError: The quota is used up, too many calls were made at once, or the fault
                ``zoho_rate_limit`` is on.
            ZohoTimeoutError: The call timed out.
        """
        with self._metrics.call("accounts") as call:
            if self._spend() < 0:
                call.status = 429
                raise ZohoRateLimitError("Zoho allows no more calls in this minute")
            await asyncio.sleep(random.uniform(0.005, 0.03))
            if self._mishaps.happen():
                call.status = "timeout"
                raise ZohoTimeoutError("Zoho did not answer in time")
            if self._mishaps.happen():
                call.status = 429
                raise ZohoRateLimitError("Zoho had too many calls at once")
            call.status = 200
            return {"id": account_id, "revenue": random.randint(10_000, 5_000_000)}

    def _spend(self) -> int:
        """Spend a call, and return how many are left in this window; below 0 when it must not be made."""
        now = time.monotonic()
        if now >= self._window_ends:
            self._window_ends, self._spent = now + WINDOW_SECONDS, 0
        self._spent += 1
        taken = 1.0 if self._faults.current.zoho_rate_limit else self._faults.current.zoho_quota_taken
        left = round(self._quota * (1 - taken)) - self._spent
        self._metrics.set_rate_limit_remaining(max(0, left), maximum=self._quota)
        return left


async def sync_account(
    accounts: Accounts, zoho: ZohoClient, metrics: MetricsCollector, faults: FaultSwitches, account_id: int
) -> dict[str, object]:
    """Bring one account up to date from Zoho.

    Raises:
        ZohoError: Zoho refused the call, or it timed out.
        UnknownAccountError: There is no such account.
        PoolTimeoutError: The database had no connection to spare.
    """
    if faults.current.sync_stopped:
        account = await accounts.get(account_id)
    else:
        try:
            fresh = await zoho.fetch_account(account_id)
        except ZohoError as error:
            metrics.zoho.record_sync_failure(error)
            raise
        account = await accounts.update(account_id, int(str(fresh["revenue"])))
    return {"id": account.id, "revenue": account.revenue, "synced": account.synced}
