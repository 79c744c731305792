"""Accounts and their recommendations: a table that is simulated, behind a cache."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Literal, get_args

from sergas_metrics import MetricsCollector

CACHE_SECONDS = 30
RecommendationType = Literal["renewal", "upsell", "risk_review"]
RECOMMENDATION_TYPES: tuple[RecommendationType, ...] = get_args(RecommendationType)
CATEGORIES = ("analytics", "support", "training")


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
    count: int
    _table: dict[int, Account] = field(default_factory=dict)
    _cache: dict[int, _Cached] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._table = {number: Account(number, f"Account {number}") for number in range(1, self.count + 1)}
        self.metrics.business.set_accounts_active(len(self._table))
        self.metrics.database.set_pool(in_use=0, idle=5, maximum=20)

    async def page(self, size: int) -> list[Account]:
        """The first accounts."""
        with self.metrics.database.query("list_accounts"):
            await asyncio.sleep(random.uniform(0.001, 0.005))
            return list(self._table.values())[:size]

    async def get(self, account_id: int) -> Account:
        """One account.

        Raises:
            UnknownAccountError: There is no such account.
        """
        cached = self._look_up(account_id)
        if cached is not None:
            return cached
        with self.metrics.database.query("select_account"):
            await asyncio.sleep(random.uniform(0.001, 0.004))
        account = self._table.get(account_id)
        if account is None:
            raise UnknownAccountError(f"there is no account {account_id}; accounts are numbered 1 to {self.count}")
        with self.metrics.cache.operation("accounts", "set"):
            self._cache[account_id] = _Cached(account, time.monotonic() + CACHE_SECONDS)
        return account

    async def update(self, account_id: int, revenue: int) -> Account:
        """Store what Zoho says of an account."""
        account = await self.get(account_id)
        with self.metrics.database.query("update_account"):
            await asyncio.sleep(random.uniform(0.001, 0.004))
            account.revenue, account.synced = revenue, True
        self.metrics.zoho.record_synced()
        return account

    def recommend(self, account: Account) -> dict[str, object]:
        """A recommendation for an account, and now and then a cross-sell opportunity with it."""
        kind, confidence = random.choice(RECOMMENDATION_TYPES), random.betavariate(5, 2)
        self.metrics.business.record_recommendation(kind, confidence)
        if random.random() < 0.2:
            self.metrics.business.record_cross_sell(random.choice(CATEGORIES))
        return {"account": account.id, "type": kind, "confidence": round(confidence, 3)}

    def _look_up(self, account_id: int) -> Account | None:
        with self.metrics.cache.operation("accounts", "get"):
            cached = self._cache.get(account_id)
        if cached is None or cached.until < time.monotonic():
            self.metrics.cache.record_miss("accounts")
            return None
        self.metrics.cache.record_hit("accounts")
        return cached.account
