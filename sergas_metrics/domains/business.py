"""Recommendations, accounts and opportunities."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

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
        self.recommendations_generated = store.counters["sergas_recommendations_generated_total"]
        self.recommendations_accepted = store.counters["sergas_recommendations_accepted_total"]
        self.recommendations_rejected = store.counters["sergas_recommendations_rejected_total"]
        self.recommendation_generation = store.histograms["sergas_recommendation_generation_duration_seconds"]
        self.recommendation_confidence = store.histograms["sergas_recommendation_confidence_score"]
        self.accounts_active = store.gauges["sergas_accounts_active_total"]
        self.cross_sell_opportunities = store.counters["sergas_cross_sell_opportunities_identified_total"]
        self.upsell_opportunities = store.counters["sergas_upsell_opportunities_identified_total"]
        self.account_processing = store.histograms["sergas_account_processing_duration_seconds"]
        self.account_enrichment = store.histograms["sergas_account_enrichment_duration_seconds"]

    def record_recommendation(self, type_: str, confidence: float) -> None:
        """Count a generated recommendation and observe its confidence, from 0 to 1."""
        self.recommendations_generated.cells[type_].inc()
        self.recommendation_confidence.cells[type_].observe(confidence)

    def record_accepted(self, type_: str) -> None:
        """Count a recommendation that an account manager accepted."""
        self.recommendations_accepted.cells[type_].inc()

    def record_rejected(self, type_: str, reason: str) -> None:
        """Count a recommendation that an account manager rejected, for a reason from a fixed set."""
        self.recommendations_rejected.cells[type_, reason].inc()

    @contextmanager
    def generation(self, type_: str) -> Iterator[None]:
        """Time the generation of a recommendation, also when it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.recommendation_generation.cells[type_].observe(perf_counter() - start)

    @contextmanager
    def processing(self) -> Iterator[None]:
        """Time the processing of one account; its status is ``success``, or ``failure`` if it raises."""
        start, status = perf_counter(), "failure"
        try:
            yield
            status = "success"
        finally:
            self.account_processing.cells[status].observe(perf_counter() - start)

    @contextmanager
    def enrichment(self, source: str) -> Iterator[None]:
        """Time the enrichment of one account from a source, also when it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.account_enrichment.cells[source].observe(perf_counter() - start)

    def record_upsell(self, category: str, count: int = 1) -> None:
        """Count identified upsell opportunities."""
        self.upsell_opportunities.cells[category].inc(count)

    def record_cross_sell(self, category: str, count: int = 1) -> None:
        """Count identified cross-sell opportunities."""
        self.cross_sell_opportunities.cells[category].inc(count)

    def set_accounts_active(self, accounts: int) -> None:
        """Set how many accounts are active."""
        self.accounts_active.set(accounts)
