"""Expressions read series that somebody really exports, by labels they have, over ranges that hold enough samples."""

import pytest

from charts.exported import EXPORTED, INTERVALS, SCRAPED_EVERY
from charts.expressions import selectors
from charts.known import known_series
from charts.promql import metrics, problems


@pytest.fixture(scope="session")
def known(groups):
    return known_series(groups)


@pytest.fixture
def rules(shipped, groups):
    return [rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == shipped["name"]]


def test_nothing_is_wrong_with_its_expressions(rules, known):
    assert [problem for expr in rules for problem in problems(expr, known)] == []


def test_nothing_is_wrong_with_what_is_recorded(groups, known):
    records = [rule for group in groups for rule in group["rules"] if "record" in rule]
    assert records
    assert {rule["record"]: found for rule in records if (found := problems(rule["expr"], known))} == {}


def test_it_asks_for_the_application_by_its_job(rules):
    for expr in rules:
        for metric, labels in selectors(expr):
            assert (
                not metric.startswith(("sergas_", "process_"))
                or metric.startswith(("sergas_operator_", "sergas_digest_"))
                or "job" in labels
            )


def test_what_it_needs_stands_in_its_expression(shipped, rules):
    assert shipped["reads"] or shipped["expr"] == "vector(1)"
    assert set(shipped["reads"]) <= set().union(*map(metrics, rules))


@pytest.mark.parametrize(
    ("metric", "seconds"),
    [
        ("sergas_", 10),
        ("node_cpu_seconds_total", 15),
        ("container_cpu_usage_seconds_total", 15),
        ("pg_stat_activity_count", 30),
        ("redis_memory_used_bytes", 30),
    ],
)
def test_targets_are_scraped_as_often_as_the_requirements_say(metric, seconds):
    assert SCRAPED_EVERY[metric] == seconds


def test_every_source_was_captured():
    captured = {"pg_up", "redis_up", "pushgateway_http_requests_total", "probe_success", "node_load1", "kube_pod_info"}
    ours = {"kubelet_volume_stats_used_bytes", "container_memory_working_set_bytes", "prometheus_build_info"}
    assert captured | ours | {"alertmanager_alerts", "sergas_operator_monitorings"} <= EXPORTED.keys()
    assert set(INTERVALS) >= {"postgres-exporter", "cadvisor"}


def test_a_histogram_is_known_by_its_parts():
    kind, labels = EXPORTED["prometheus_http_request_duration_seconds_bucket"]
    assert (kind, "le" in labels) == ("counter", True)
    assert "le" not in EXPORTED["prometheus_http_request_duration_seconds_sum"][1]
