"""Expressions read series that somebody exports, with labels they have, over ranges that hold enough samples."""

import re

import pytest

from charts.exported import EXPORTED
from charts.expressions import TARGET_LABELS, exported_series, recorded_series, selectors
from sergas_metrics.catalogue import CATALOGUE

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# At which a target is scraped: the application every 10 s, nodes and containers 15, PostgreSQL and Redis 30.
SCRAPES = {"sergas_": 10, "process_": 10, "up": 15, "node_": 15, "container_": 15, "kubelet_": 15, "kube_": 30}
SLOWEST_SCRAPE_SECONDS = 30


def known_series(groups):
    """Every series name that the application or an exporter exports or a rule records, with its labels."""
    return exported_series() | recorded_series(groups)


def counters():
    ours = {spec.name for spec in CATALOGUE if spec.kind == "counter"}
    buckets = {f"{spec.name}_bucket" for spec in CATALOGUE if spec.kind == "histogram"}
    return ours | buckets | {name for name, (kind, _) in EXPORTED.items() if kind == "counter"}


def test_what_is_recorded_reads_series_that_are_there(groups):
    known = known_series(groups)
    records = [rule["expr"] for group in groups for rule in group["rules"] if "record" in rule]
    assert {metric for expr in records for metric, _ in selectors(expr)} <= known.keys()


@pytest.fixture
def rules(shipped, groups):
    return [rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == shipped["name"]]


def test_it_reads_series_that_are_exported_with_the_labels_it_asks_for(rules, groups):
    known = known_series(groups)
    for expr in rules:
        for metric, labels in selectors(expr):
            assert metric in known
            assert labels - {"__name__"} <= known[metric] | TARGET_LABELS


def test_it_asks_for_the_application_by_its_job(rules):
    for expr in rules:
        for metric, labels in selectors(expr):
            assert (
                not metric.startswith(("sergas_", "process_"))
                or metric.startswith("sergas_operator_")
                or "job" in labels
            )


def test_rates_are_taken_of_counters_alone(rules):
    for expr in rules:
        rated = set(re.findall(r"\b(?:rate|increase|irate)\(\s*([a-zA-Z0-9_]+)", expr))
        assert rated <= counters()


def test_quantiles_keep_the_bounds_of_their_buckets(rules):
    for expr in rules:
        for arguments in re.findall(r"histogram_quantile\(([^)]*)\)", expr):
            assert re.search(r"by \([^)]*\ble\b", arguments + ")")


def test_every_range_holds_at_least_four_scrapes(rules):
    for expr in rules:
        for metric, number, unit in re.findall(r"\b([a-z]\w+)(?:\{[^}]*\})?\[(\d+)([smhd])", expr):
            scrape = next((seconds for start, seconds in SCRAPES.items() if metric.startswith(start)), None)
            assert int(number) * SECONDS[unit] >= 4 * (scrape or SLOWEST_SCRAPE_SECONDS)


def test_what_it_needs_stands_in_its_expression(shipped, rules):
    assert shipped["reads"] or shipped["expr"] == "vector(1)"
    assert set(shipped["reads"]) <= {metric for expr in rules for metric, _ in selectors(expr)}
