"""Recommendations for accounts, from a model that is simulated, and what account managers make of them."""

from __future__ import annotations

import asyncio
import random
from typing import Literal, get_args

from sergas_metrics import MetricsCollector

from .accounts import Account
from .faults import FaultSwitches
from .mishaps import Mishaps

RecommendationType = Literal["renewal", "upsell", "risk_review"]
RECOMMENDATION_TYPES: tuple[RecommendationType, ...] = get_args(RecommendationType)
RejectionReason = Literal["too_expensive", "bad_timing", "not_relevant"]
REJECTION_REASONS: tuple[RejectionReason, ...] = get_args(RejectionReason)
CATEGORIES = ("analytics", "support", "training")
SOURCES = ("company_register", "news")


class Recommender:
    """Asks the model, and records what it says."""

    def __init__(self, metrics: MetricsCollector, faults: FaultSwitches, mishaps: Mishaps) -> None:
        self._metrics = metrics.business
        self._faults = faults
        self._mishaps = mishaps

    async def recommend(self, account: Account) -> dict[str, object] | None:
        """A recommendation for an account, now and then with an opportunity; none when the model has none.

        Raises:
            KeyError: The model's answer lacks what was asked for.
        """
        kind = random.choice(RECOMMENDATION_TYPES)
        with self._metrics.generation(kind):
            answer = await self._ask_model()
        if answer is None:
            return None
        confidence = answer["confidence"]
        self._metrics.record_recommendation(kind, confidence)
        self._look_for_opportunities()
        return {"account": account.id, "type": kind, "confidence": round(confidence, 3)}

    async def enrich(self) -> None:
        """Look up what the world says of a customer."""
        for source in SOURCES:
            with self._metrics.enrichment(source):
                await asyncio.sleep(random.uniform(0.005, 0.02))

    def judge(self, kind: str) -> None:
        """Let an account manager accept a recommendation, reject it, or leave it for later."""
        verdict = random.random()
        if verdict < 0.6:
            self._metrics.record_accepted(kind)
        elif verdict < 0.85:
            self._metrics.record_rejected(kind, random.choice(REJECTION_REASONS))

    async def _ask_model(self) -> dict[str, float] | None:
        await asyncio.sleep(random.uniform(0.005, 0.03))
        if self._faults.current.no_recommendations:
            return None
        return {} if self._mishaps.happen() else {"confidence": random.betavariate(5, 2)}

    def _look_for_opportunities(self) -> None:
        if random.random() < 0.2:
            self._metrics.record_cross_sell(random.choice(CATEGORIES))
        if random.random() < 0.15:
            self._metrics.record_upsell(random.choice(CATEGORIES))
