"""Expressions read metrics that exist, with labels they have, over ranges that hold enough samples."""

import re

import promql_parser

from sergas_metrics.catalogue import CATALOGUE

# Prometheus's own series, and what its client exports of every process; with the labels we write in selectors.
FOREIGN = {"up": set(), "process_start_time_seconds": set()}
# Given by service discovery, not by the application.
TARGET_LABELS = {"job", "namespace", "instance", "pod"}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
APP_SCRAPE_SECONDS = 10


def known_series():
    """Every series name the application exports, with its labels."""
    known = dict(FOREIGN)
    for spec in CATALOGUE:
        if spec.kind == "histogram":
            known |= {f"{spec.name}_{part}": set(spec.labels) for part in ("sum", "count")}
            known[f"{spec.name}_bucket"] = {*spec.labels, "le"}
        else:
            known[spec.name] = set(spec.labels)
    return known


def rendered(shipped, groups):
    return next(rule["expr"] for group in groups for rule in group["rules"] if rule["alert"] == shipped["name"])


def selectors(expr):
    """(metric, its label matchers' names) for every selector in an expression of ours."""
    found = re.findall(r"\b([a-z_:][a-z0-9_:]*)\{([^}]*)\}", expr)
    return [(metric, set(re.findall(r"(\w+)(?==|!)", matchers))) for metric, matchers in found]


def test_it_is_promql(shipped, groups):
    promql_parser.parse(rendered(shipped, groups))


def test_it_reads_series_that_are_exported_with_the_labels_it_asks_for(shipped, groups):
    known = known_series()
    found = selectors(rendered(shipped, groups))
    assert found
    for metric, labels in found:
        assert metric in known
        assert labels <= known[metric] | TARGET_LABELS


def test_it_asks_for_the_application_and_no_other_job(shipped, groups):
    for _, labels in selectors(rendered(shipped, groups)):
        assert "job" in labels
    jobs = set(re.findall(r'job=~?"([^"]+)"', rendered(shipped, groups)))
    assert jobs <= {"sergas-api", "sergas-(api|agents)"}


def test_rates_are_taken_of_counters_alone(shipped, groups):
    counters = {spec.name for spec in CATALOGUE if spec.kind == "counter"}
    rated = re.findall(r"(?:rate|increase)\(([a-z0-9_]+)", rendered(shipped, groups))
    assert {name for name in rated if not name.endswith("_bucket")} <= counters


def test_every_range_holds_at_least_four_scrapes(shipped, groups):
    for number, unit in re.findall(r"\[(\d+)([smhd])", rendered(shipped, groups)):
        assert int(number) * SECONDS[unit] >= 4 * APP_SCRAPE_SECONDS
