"""Collectors: several in a process, on one registry or each on its own."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter

from sergas_metrics import MetricsCollector

Sample = Callable[..., float | None]


def test_a_collector_uses_the_default_registry_unless_given_one(registry: CollectorRegistry) -> None:
    assert MetricsCollector().registry is REGISTRY
    assert MetricsCollector(registry).registry is registry


def test_collectors_of_one_registry_share_their_series(registry: CollectorRegistry, sample: Sample) -> None:
    MetricsCollector(registry).agent.record_attempt("sync")
    MetricsCollector(registry).agent.record_attempt("sync")
    assert sample("sergas_agent_task_attempts_total", agent="sync") == 2


def test_collectors_of_different_registries_are_apart(metrics: MetricsCollector) -> None:
    other = MetricsCollector(CollectorRegistry())
    metrics.agent.record_attempt("sync")
    assert other.registry.get_sample_value("sergas_agent_task_attempts_total", {"agent": "sync"}) is None


def test_another_limit_on_the_same_registry_is_refused(metrics: MetricsCollector) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsCollector(metrics.registry, max_series=5)
    assert str(refusal.value) == (
        "this registry's Sergas metrics were made with max_series=1000, not 5: use the same limit, or give "
        "MetricsCollector a registry of its own"
    )


def test_a_limit_below_one_is_refused(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match=r"^max_series must be 1 or more, not 0$"):
        MetricsCollector(registry, max_series=0)


def test_a_name_that_the_application_took_is_refused_and_nothing_is_left_behind(registry: CollectorRegistry) -> None:
    Counter("sergas_cache_hits_total", "The application's own.", registry=registry)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole sentence is asserted below
        MetricsCollector(registry)
    message = str(refusal.value)
    assert message.startswith("cannot register the Sergas metrics: Duplicated timeseries in CollectorRegistry: ")
    assert message.endswith(
        "Rename the application's own metric, or give MetricsCollector a registry of its own: "
        "MetricsCollector(CollectorRegistry())"
    )
    assert [metric.name for metric in registry.collect()] == ["sergas_cache_hits"]


def test_metrics_without_labels_exist_from_the_start(metrics: MetricsCollector, sample: Sample) -> None:
    assert sample("sergas_http_requests_in_progress") == 0
    assert sample("sergas_zoho_accounts_synced_total") == 0


def test_a_call_to_zoho_is_timed_and_counted_with_its_status(
    metrics: MetricsCollector, sample: Sample, clock: Callable[[], float]
) -> None:
    with metrics.zoho.call("accounts") as call:
        clock.passes(0.3)  # type: ignore[attr-defined]
        call.status = 200
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="200") == 1
    assert sample("sergas_zoho_api_duration_seconds_sum", endpoint="accounts") == pytest.approx(0.3)


def test_a_call_to_zoho_that_raises_counts_as_an_error(metrics: MetricsCollector, sample: Sample) -> None:
    with pytest.raises(TimeoutError), metrics.zoho.call("accounts"):
        raise TimeoutError
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="error") == 1


def test_a_status_known_before_the_error_stays(metrics: MetricsCollector, sample: Sample) -> None:
    with suppress(TimeoutError), metrics.zoho.call("accounts") as call:
        call.status = 429
        raise TimeoutError
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="429") == 1


def test_a_task_records_attempt_duration_and_failure(
    metrics: MetricsCollector, sample: Sample, clock: Callable[[], float]
) -> None:
    running: list[float | None] = []
    with suppress(KeyError), metrics.agent.task("sync"):
        running.append(sample("sergas_agent_concurrent_tasks", agent="sync"))
        clock.passes(2)  # type: ignore[attr-defined]
        raise KeyError("x")
    assert running == [1]
    assert sample("sergas_agent_concurrent_tasks", agent="sync") == 0
    assert sample("sergas_agent_task_attempts_total", agent="sync") == 1
    assert sample("sergas_agent_task_failures_total", agent="sync", error_type="KeyError") == 1
    assert sample("sergas_agent_task_duration_seconds_sum", agent="sync") == 2


def test_a_task_that_ends_well_has_no_failure(metrics: MetricsCollector, sample: Sample) -> None:
    with metrics.agent.task("sync"):
        pass
    assert not [s for m in metrics.registry.collect() for s in m.samples if "task_failures" in s.name]
    assert sample("sergas_agent_task_duration_seconds_count", agent="sync") == 1


def test_a_synchronised_account_notes_when(metrics: MetricsCollector, sample: Sample) -> None:
    before = time.time()
    metrics.zoho.record_synced()
    noted = sample("sergas_zoho_sync_last_success_timestamp_seconds")
    assert noted is not None
    assert before <= noted <= time.time()


def test_every_domain_method_reaches_its_metric(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.http.record_request("GET", "/a", 200, 0.2)
    metrics.zoho.record_sync_failure(ValueError("x"))
    metrics.zoho.record_synced(3)
    metrics.zoho.set_rate_limit_remaining(40)
    metrics.memory.record_processing("ingest", 1.5)
    metrics.memory.record_documents(2)
    metrics.memory.set_graph_size(7, 8)
    metrics.agent.set_queue_size("sync", 12)
    metrics.agent.record_failure("sync", "timeout")
    metrics.business.record_recommendation("upsell", 0.85)
    metrics.business.record_accepted("upsell")
    metrics.business.record_cross_sell("support", 2)
    metrics.business.set_accounts_active(90)
    metrics.cache.record_hit("accounts")
    metrics.cache.record_miss("accounts")
    with metrics.cache.operation("accounts", "get"):
        pass
    with pytest.raises(OSError, match="gone"), metrics.database.query("select"):
        raise OSError("gone")
    metrics.database.set_pool(in_use=4, idle=1, maximum=20)

    assert sample("sergas_http_requests_total", method="GET", route="/a", status="200") == 1
    assert sample("sergas_http_request_duration_seconds_sum", method="GET", route="/a") == 0.2
    assert sample("sergas_zoho_sync_failures_total", error_type="ValueError") == 1
    assert sample("sergas_zoho_accounts_synced_total") == 3
    assert sample("sergas_zoho_rate_limit_remaining") == 40
    assert sample("sergas_memory_processing_duration_seconds_sum", operation="ingest") == 1.5
    assert sample("sergas_memory_documents_processed_total", status="success") == 2
    assert sample("sergas_memory_graph_nodes_total") == 7
    assert sample("sergas_memory_graph_relationships_total") == 8
    assert sample("sergas_agent_queue_size", agent="sync") == 12
    assert sample("sergas_agent_task_failures_total", agent="sync", error_type="timeout") == 1
    assert sample("sergas_recommendations_generated_total", type="upsell") == 1
    assert sample("sergas_recommendation_confidence_score_bucket", type="upsell", le="0.9") == 1
    assert sample("sergas_recommendation_confidence_score_bucket", type="upsell", le="0.8") == 0
    assert sample("sergas_recommendations_accepted_total", type="upsell") == 1
    assert sample("sergas_cross_sell_opportunities_identified_total", category="support") == 2
    assert sample("sergas_accounts_active_total") == 90
    assert sample("sergas_cache_hits_total", cache="accounts") == 1
    assert sample("sergas_cache_misses_total", cache="accounts") == 1
    assert sample("sergas_cache_operation_duration_seconds_count", cache="accounts", operation="get") == 1
    assert sample("sergas_database_query_duration_seconds_count", operation="select") == 1
    assert sample("sergas_database_errors_total", error_type="OSError") == 1
    assert sample("sergas_database_pool_connections", state="in_use") == 4
    assert sample("sergas_database_pool_connections", state="idle") == 1
    assert sample("sergas_database_pool_connections_max") == 20


def test_what_dashboards_and_alerts_ask_for_beyond_that_is_recorded(metrics: MetricsCollector, sample: Sample) -> None:
    metrics.zoho.set_rate_limit_remaining(30, maximum=100)
    metrics.zoho.set_sync_lag(90)
    metrics.agent.record_retry("sync")
    metrics.business.record_rejected("upsell", "too_expensive")
    metrics.business.record_upsell("support")
    metrics.errors.record_error(KeyError("x"), "warning")
    metrics.errors.record_unhandled(KeyError)

    assert sample("sergas_zoho_rate_limit_remaining") == 30
    assert sample("sergas_zoho_rate_limit_max") == 100
    assert sample("sergas_zoho_sync_lag_seconds") == 90
    assert sample("sergas_agent_task_retries_total", agent="sync") == 1
    assert sample("sergas_recommendations_rejected_total", type="upsell", reason="too_expensive") == 1
    assert sample("sergas_upsell_opportunities_identified_total", category="support") == 1
    assert sample("sergas_errors_total", severity="warning", error_type="KeyError") == 1
    assert sample("sergas_errors_total", severity="critical", error_type="KeyError") == 1
    assert sample("sergas_unhandled_exceptions_total", error_type="KeyError") == 1


def test_a_call_that_zoho_refuses_for_its_rate_limit_is_counted_as_such(
    metrics: MetricsCollector, sample: Sample
) -> None:
    with metrics.zoho.call("accounts") as call:
        call.status = 429
    assert sample("sergas_zoho_rate_limit_exceeded_total", endpoint="accounts") == 1
    assert sample("sergas_zoho_api_calls_total", endpoint="accounts", status="429") == 1


def test_a_retried_task_is_an_attempt_and_a_retry(metrics: MetricsCollector, sample: Sample) -> None:
    with metrics.agent.task("sync", retry=True):
        pass
    assert sample("sergas_agent_task_attempts_total", agent="sync") == 1
    assert sample("sergas_agent_task_retries_total", agent="sync") == 1


def test_memory_remembers_when_it_last_succeeded(
    metrics: MetricsCollector, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sergas_metrics.domains.memory.time", lambda: 1_700_000_000.5)
    with suppress(KeyError), metrics.memory.processing("link"):
        raise KeyError("x")
    with metrics.memory.processing("ingest"):
        pass
    assert sample("sergas_memory_last_success_timestamp_seconds", operation="link") is None
    assert sample("sergas_memory_last_success_timestamp_seconds", operation="ingest") == 1_700_000_000.5
    assert sample("sergas_memory_processing_duration_seconds_count", operation="link") == 1


def test_accounts_and_recommendations_are_timed(
    metrics: MetricsCollector, sample: Sample, clock: Callable[[], float]
) -> None:
    with metrics.business.processing(), metrics.business.enrichment("crm"), metrics.business.generation("upsell"):
        clock.passes(3)  # type: ignore[attr-defined]
    with suppress(KeyError), metrics.business.processing():
        raise KeyError("x")
    assert sample("sergas_account_processing_duration_seconds_sum", status="success") == 3
    assert sample("sergas_account_processing_duration_seconds_count", status="failure") == 1
    assert sample("sergas_account_enrichment_duration_seconds_sum", source="crm") == 3
    assert sample("sergas_recommendation_generation_duration_seconds_sum", type="upsell") == 3


def test_a_severity_that_is_none_is_refused(metrics: MetricsCollector) -> None:
    with pytest.raises(ValueError, match=r"^severity must be one of critical, error, warning, not 'fatal'$"):
        metrics.errors.record_error(KeyError("x"), "fatal")  # type: ignore[arg-type]  # what is refused
