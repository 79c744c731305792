"""The catalogue is the contract: names and labels in it never change."""

import re
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics import CATALOGUE, MetricsCollector, MetricSpec

SEED_NAMES = {
    "sergas_http_requests_total",
    "sergas_http_request_duration_seconds",
    "sergas_http_requests_in_progress",
    "sergas_zoho_api_calls_total",
    "sergas_zoho_api_duration_seconds",
    "sergas_zoho_sync_failures_total",
    "sergas_zoho_accounts_synced_total",
    "sergas_zoho_rate_limit_remaining",
    "sergas_memory_processing_duration_seconds",
    "sergas_memory_documents_processed_total",
    "sergas_memory_graph_nodes_total",
    "sergas_memory_graph_relationships_total",
    "sergas_agent_task_duration_seconds",
    "sergas_agent_task_attempts_total",
    "sergas_agent_task_failures_total",
    "sergas_agent_queue_size",
    "sergas_agent_concurrent_tasks",
    "sergas_recommendations_generated_total",
    "sergas_recommendations_accepted_total",
    "sergas_recommendation_confidence_score",
    "sergas_accounts_active_total",
    "sergas_cross_sell_opportunities_identified_total",
    "sergas_cache_hits_total",
    "sergas_cache_misses_total",
    "sergas_cache_operation_duration_seconds",
}

each_metric = pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)


def test_every_documented_metric_is_in_the_catalogue() -> None:
    assert {spec.name for spec in CATALOGUE} >= SEED_NAMES


def test_no_name_is_declared_twice() -> None:
    assert not [name for name, count in Counter(spec.name for spec in CATALOGUE).items() if count > 1]


def test_http_metrics_have_the_labels_and_buckets_that_alerts_are_written_for() -> None:
    by_name = {spec.name: spec for spec in CATALOGUE}
    duration = by_name["sergas_http_request_duration_seconds"]
    assert by_name["sergas_http_requests_total"].labels == ("method", "route", "status")
    assert duration.labels == ("method", "route")
    assert duration.buckets == (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
    assert by_name["sergas_http_requests_in_progress"].labels == ()


@each_metric
def test_names_follow_prometheus(spec: MetricSpec) -> None:
    assert re.fullmatch(r"sergas(_[a-z]+)+", spec.name)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in spec.labels)
    assert spec.kind != "counter" or spec.name.endswith("_total")
    assert (spec.unit == "seconds") == spec.name.endswith("_seconds")


@each_metric
def test_help_is_one_sentence(spec: MetricSpec) -> None:
    assert re.fullmatch(r"[A-Z][^.\n]*\.", spec.help)


@each_metric
def test_buckets_belong_to_histograms_and_rise(spec: MetricSpec) -> None:
    assert bool(spec.buckets) == (spec.kind == "histogram")
    assert list(spec.buckets) == sorted(set(spec.buckets))


@each_metric
def test_each_metric_has_a_domain(spec: MetricSpec) -> None:
    domains = {"http", "zoho", "memory", "agent", "business", "cache", "database", "errors", "metrics"}
    assert spec.domain in domains


def test_the_registry_holds_exactly_the_catalogue() -> None:
    registry = CollectorRegistry()
    MetricsCollector(registry)
    found = {(metric.name, metric.type, metric.documentation) for metric in registry.collect()}
    assert found == {
        (spec.name.removesuffix("_total") if spec.kind == "counter" else spec.name, spec.kind, spec.help)
        for spec in CATALOGUE
    }


@each_metric
def test_only_gauges_are_anything_but_a_sum_across_processes(spec: MetricSpec) -> None:
    assert spec.across == "sum" or spec.kind == "gauge"


def test_levels_that_all_processes_see_alike_do_not_add_up() -> None:
    assert {spec.name: spec.across for spec in CATALOGUE if spec.kind == "gauge"} == {
        "sergas_http_requests_in_progress": "sum",
        "sergas_zoho_rate_limit_remaining": "latest",
        "sergas_zoho_rate_limit_max": "latest",
        "sergas_zoho_sync_last_success_timestamp_seconds": "max",
        "sergas_zoho_sync_lag_seconds": "latest",
        "sergas_memory_last_success_timestamp_seconds": "max",
        "sergas_memory_graph_nodes_total": "latest",
        "sergas_memory_graph_relationships_total": "latest",
        "sergas_agent_queue_size": "sum",
        "sergas_agent_concurrent_tasks": "sum",
        "sergas_accounts_active_total": "latest",
        "sergas_database_pool_connections": "sum",
        "sergas_database_pool_connections_max": "sum",
        "sergas_metrics_processes": "sum",
    }
