"""Recommendations, accounts and opportunities."""

from __future__ import annotations

from .._families import Counter, Gauge, Histogram
from .._measure import Measurement, timing
from .._store import Store


class BusinessMetrics:
    """Business metrics.

    Attributes:
        recommendations_generated: ``sergas_recommendations_generated_total{type}``.
        recommendations_accepted: ``sergas_recommendations_accepted_total{type}``.
        recommendations_rejected: ``sergas_recommendations_rejected_total{type, reason}``.
        recommendation_generation: ``sergas_recommendation_generation_duration_seconds{type}``.
        recommendation_confidence: ``sergas_recommendation_confidence_score{type}``.
        accounts_active: ``sergas_accounts_active_total``, a gauge.
        cross_sell_opportunities: ``sergas_cross_sell_opportunities_identified_total{category}``.
        upsell_opportunities: ``sergas_upsell_opportunities_identified_total{category}``.
        account_processing: ``sergas_account_processing_duration_seconds{status}``.
        account_enrichment: ``sergas_account_enrichment_duration_seconds{source}``.
    """

    def __init__(self, store: Store) -> None:
        self.recommendations_generated = store.family("sergas_recommendations_generated_total", Counter)
        self.recommendations_accepted = store.family("sergas_recommendations_accepted_total", Counter)
        self.recommendations_rejected = store.family("sergas_recommendations_rejected_total", Counter)
        self.recommendation_generation = store.family("sergas_recommendation_generation_duration_seconds", Histogram)
        self.recommendation_confidence = store.family("sergas_recommendation_confidence_score", Histogram)
        self.accounts_active = store.family("sergas_accounts_active_total", Gauge)
        self.cross_sell_opportunities = store.family("sergas_cross_sell_opportunities_identified_total", Counter)
        self.upsell_opportunities = store.family("sergas_upsell_opportunities_identified_total", Counter)
        self.account_processing = store.family("sergas_account_processing_duration_seconds", Histogram)
        self.account_enrichment = store.family("sergas_account_enrichment_duration_seconds", Histogram)

    def record_recommendation(self, type_: str, confidence: float) -> None:
        """Count a generated recommendation and observe its confidence, from 0 to 1."""
        self.recommendations_generated.labels(type_).inc()
        self.recommendation_confidence.labels(type_).observe(confidence)

    def record_accepted(self, type_: str) -> None:
        """Count a recommendation that an account manager accepted."""
        self.recommendations_accepted.labels(type_).inc()

    def record_rejected(self, type_: str, reason: str) -> None:
        """Count a recommendation that an account manager rejected, for a reason from a fixed set."""
        self.recommendations_rejected.labels(type_, reason).inc()

    def generation(self, type_: str) -> Measurement[None]:
        """Time the generation of a recommendation, also when it raises."""
        return timing("business.generation", lambda seconds: self.record_generation(type_, seconds))

    def record_generation(self, type_: str, seconds: float) -> None:
        """Observe how long the generation of a recommendation took, in seconds."""
        self.recommendation_generation.labels(type_).observe(seconds)

    def processing(self) -> Measurement[None]:
        """Time the processing of one account; its status is ``success``, or ``failure`` if it raises."""

        def end(_: None, error: BaseException | None, seconds: float) -> None:
            self.record_processing(seconds, "success" if error is None else "failure")

        return Measurement("business.processing", end)

    def record_processing(self, seconds: float, status: str = "success") -> None:
        """Observe how long the processing of one account took, in seconds, by outcome, ``success`` or ``failure``."""
        self.account_processing.labels(status).observe(seconds)

    def enrichment(self, source: str) -> Measurement[None]:
        """Time the enrichment of one account from a source, also when it raises."""
        return timing("business.enrichment", lambda seconds: self.record_enrichment(source, seconds))

    def record_enrichment(self, source: str, seconds: float) -> None:
        """Observe how long the enrichment of one account from a source took, in seconds."""
        self.account_enrichment.labels(source).observe(seconds)

    def record_upsell(self, category: str, count: int = 1) -> None:
        """Count identified upsell opportunities."""
        self.upsell_opportunities.labels(category).inc(count)

    def record_cross_sell(self, category: str, count: int = 1) -> None:
        """Count identified cross-sell opportunities."""
        self.cross_sell_opportunities.labels(category).inc(count)

    def set_accounts_active(self, accounts: int) -> None:
        """Set how many accounts are active."""
        self.accounts_active.set(accounts)
