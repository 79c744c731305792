"""Accounts: a table of a database, behind a cache."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from sergas_metrics import MetricsCollector

from .database import Database
from .faults import FaultSwitches

CACHE_SECONDS = 600
LAG_SECONDS = 1.0
"""How often the lag of the synchronisation is measured."""


class UnknownAccountError(LookupError):
    """There is no account with this number."""


@dataclass
class Account:
    """An account."""

    id: int
    name: str
    revenue: int = 0
    synced: bool = False


@dataclass
class _Cached:
    account: Account
    until: float


@dataclass
class Accounts:
    """All accounts, read through a cache, every step of it recorded."""

    metrics: MetricsCollector
    faults: FaultSwitches
    database: Database
    count: int
    _table: dict[int, Account] = field(default_factory=dict)
    _cache: dict[int, _Cached] = field(default_factory=dict)
    _synced: dict[int, float] = field(default_factory=dict)
    """When each was last synchronised; the application's start where it never was."""

    def __post_init__(self) -> None:
        self._table = {number: Account(number, f"Account {number}") for number in range(1, self.count + 1)}
        self._synced = dict.fromkeys(self._table, time.monotonic())
        self.metrics.business.set_accounts_active(len(self._table))

    async def page(self, size: int) -> list[Account]:
        """The first accounts.

        Raises:
            PoolTimeoutError: The database had no connection to spare.
        """
        await self.database.read("list_accounts")
        return list(self._table.values())[:size]

    async def get(self, account_id: int) -> Account:
        """One account.

        Raises:
            UnknownAccountError: There is no such account.
            PoolTimeoutError: The database had no connection to spare.
        """
        cached = self._look_up(account_id)
        if cached is not None:
            return cached
        await self.database.read("select_account")
        account = self._table.get(account_id)
        if account is None:
            raise UnknownAccountError(f"there is no account {account_id}; accounts are numbered 1 to {self.count}")
        with self.metrics.cache.operation("accounts", "set"):
            self._cache[account_id] = _Cached(account, time.monotonic() + CACHE_SECONDS)
        return account

    async def update(self, account_id: int, revenue: int) -> Account:
        """Store what Zoho says of an account.

        Raises:
            UnknownAccountError: There is no such account.
            PoolTimeoutError: The database had no connection to spare.
        """
        account = await self.get(account_id)
        await self.database.write("update_account")
        account.revenue, account.synced = revenue, True
        self._synced[account_id] = time.monotonic()
        self.metrics.zoho.record_synced()
        return account

    def next_to_sync(self) -> int:
        """The account whose turn it is: each comes again when all others have had theirs."""
        account_id = next(iter(self._table))
        self._table[account_id] = self._table.pop(account_id)
        return account_id

    async def measure_lag(self) -> None:
        """Record how far behind Zoho the account is that waits longest, until cancelled."""
        while True:
            self.metrics.zoho.set_sync_lag(time.monotonic() - min(self._synced.values(), default=time.monotonic()))
            await asyncio.sleep(LAG_SECONDS)

    def _look_up(self, account_id: int) -> Account | None:
        with self.metrics.cache.operation("accounts", "get"):
            cached = self._cache.get(account_id)
        lost = random.random() < self.faults.current.cache_misses
        if lost or cached is None or cached.until < time.monotonic():
            self.metrics.cache.record_miss("accounts")
            return None
        self.metrics.cache.record_hit("accounts")
        return cached.account
