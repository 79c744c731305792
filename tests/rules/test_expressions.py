"""Expressions read series that somebody really exports, by labels they have, over ranges that hold enough samples."""

import pytest

from charts.exported import EXPORTED, INTERVALS, SCRAPED_EVERY
from charts.expressions import START_AT_ZERO, first_values_missed, selectors
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


def test_no_rule_misses_the_first_value_of_a_counter(groups):
    found = {
        rule.get("alert") or rule["record"]: first_values_missed(rule["expr"])
        for group in groups
        for rule in group["rules"]
    }
    assert {name: missed for name, missed in found.items() if missed} == {}


def test_only_counters_that_a_rule_reads_are_excused(groups):
    read = set().union(*(metrics(rule["expr"]) for group in groups for rule in group["rules"]))
    assert set(START_AT_ZERO) <= read


NEW = "x_total unless x_total offset 5m"


@pytest.mark.parametrize(
    ("expr", "missed"),
    [
        ("sum(rate(x_total[5m])) > 0", {"x_total"}),
        ("sum(increase(x_total[1h])) == 0", {"x_total"}),
        (f"sum(({NEW}) / 300 or rate(x_total[5m]))", set()),
        (f"sum({NEW} unless on (job) (y > 5) or increase(x_total[5m]))", set()),
        (f"sum({NEW} or increase(x_total[5m])) / sum(increase(x_total[5m]))", {"x_total"}),
        (f"sum({NEW} or increase(x_total[10m]))", {"x_total"}),
        ("sum(y_total unless y_total offset 5m or increase(x_total[5m]))", {"x_total"}),
        ("sum(increase(x_total[5m]) or x_total unless x_total offset 5m)", {"x_total"}),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", set()),
        ("rate(x_total[1h] offset 5m) > 0.1", set()),
        ("rate(node_cpu_seconds_total[5m])", set()),
    ],
)
def test_a_rate_counts_the_first_value_only_beside_the_series_that_are_new(expr, missed):
    assert first_values_missed(expr) == missed
