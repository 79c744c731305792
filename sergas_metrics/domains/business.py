"""Recommendations, accounts and opportunities."""

from __future__ import annotations

from .._store import Store


class BusinessMetrics:
    """Business metrics.

    Attributes:
        recommendations_generated: ``sergas_recommendations_generated_total{type}``.
        recommendations_accepted: ``sergas_recommendations_accepted_total{type}``.
        recommendation_confidence: ``sergas_recommendation_confidence_score{type}``.
        accounts_active: ``sergas_accounts_active_total``, a gauge.
        cross_sell_opportunities: ``sergas_cross_sell_opportunities_identified_total{category}``.
    """

    def __init__(self, store: Store) -> None:
        self.recommendations_generated = store.counters["sergas_recommendations_generated_total"]
        self.recommendations_accepted = store.counters["sergas_recommendations_accepted_total"]
        self.recommendation_confidence = store.histograms["sergas_recommendation_confidence_score"]
        self.accounts_active = store.gauges["sergas_accounts_active_total"]
        self.cross_sell_opportunities = store.counters["sergas_cross_sell_opportunities_identified_total"]

    def record_recommendation(self, type_: str, confidence: float) -> None:
        """Count a generated recommendation and observe its confidence, from 0 to 1."""
        self.recommendations_generated.cells[type_].inc()
        self.recommendation_confidence.cells[type_].observe(confidence)

    def record_accepted(self, type_: str) -> None:
        """Count a recommendation that an account manager accepted."""
        self.recommendations_accepted.cells[type_].inc()

    def record_cross_sell(self, category: str, count: int = 1) -> None:
        """Count identified cross-sell opportunities."""
        self.cross_sell_opportunities.cells[category].inc(count)

    def set_accounts_active(self, accounts: int) -> None:
        """Set how many accounts are active."""
        self.accounts_active.set(accounts)
