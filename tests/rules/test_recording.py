"""What is recorded is what its name says, within bounds, and every record is read."""

import json
import re
from pathlib import Path

import pytest

from charts.helm import objects, rule_groups, template
from charts.mutants.cases import cases, write
from charts.mutants.promtool import test_rules as judged
from charts.panels import FOLDER, asked
from dashboards.preview.rules import names

CASES = Path(__file__).parent / "recording"
NAME = re.compile(r"^[a-z_]+:(sergas_[a-z_]+|process_[a-z_]+|up):[a-z0-9_]+$")
SECONDS = {"30s": 30, "1m": 60, "5m": 300}


def recorded(groups):
    return [(group, rule) for group in groups for rule in group["rules"] if "record" in rule]


@pytest.fixture(scope="module")
def every_case(groups):
    return cases(groups, CASES.parent)


@pytest.mark.parametrize("file", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_the_records_are_as_the_cases_say(file, every_case, groups, tmp_path):
    """Each case with the records it asks for and those that these read: all records would take ten times as long."""
    own = [case for case in every_case if case.file == file]
    files = [write(tmp_path / str(number), groups, case, None) for number, case in enumerate(own)]
    assert [(case.name, text) for case, (_, text) in zip(own, judged(files), strict=True) if text] == []
    assert own


def test_a_record_is_called_level_metric_operation(groups):
    assert recorded(groups)
    for _, rule in recorded(groups):
        assert NAME.match(rule["record"]), rule["record"]


def test_every_record_is_named_by_a_case(groups):
    known = "".join(case.read_text(encoding="utf-8") for case in CASES.glob("*.yaml"))
    assert {rule["record"] for _, rule in recorded(groups) if rule["record"] not in known} == set()


def test_every_record_is_read_by_a_panel_an_alert_or_another_record(groups):
    shown = [query.expr for query in asked()]
    shown += [expr for file in FOLDER.glob("*.json") for expr in _beside_panels(json.loads(file.read_text("utf-8")))]
    ruled = [(rule.get("record"), rule["expr"]) for group in groups for rule in group["rules"]]
    every = {rule["record"] for _, rule in recorded(groups)}
    read = set().union(*map(names, shown), *(names(expr) - {record} for record, expr in ruled))
    assert every <= read, sorted(every - read)


def _beside_panels(dashboard):
    """What variables and annotations read."""
    variables = [found["query"]["query"] for found in dashboard["templating"]["list"] if found["type"] == "query"]
    return [*variables, *(found["expr"] for found in dashboard["annotations"]["list"])]


def test_a_level_names_the_labels_that_are_kept(groups):
    for _, rule in recorded(groups):
        kept = re.match(r"(?:sum|max|min|count) by \(([^)]*)\)", rule["expr"])
        if kept and not {"slo", "metric"} & rule.get("labels", {}).keys():
            assert rule["record"].split(":")[0] == "_".join(kept[1].split(", "))


def test_a_count_multiplies_by_the_interval_at_which_its_rate_is_recorded(groups):
    intervals = {rule["record"]: group["interval"] for group, rule in recorded(groups)}
    counts = [rule for _, rule in recorded(groups) if re.search(r":increase1[hd]$", rule["record"])]
    assert counts
    for rule in counts:
        seconds, rate = re.match(r"(\d+) \* sum_over_time\((.+)\[1[hd]\]\)$", rule["expr"]).groups()
        assert int(seconds) == SECONDS[intervals[rate]]
        assert rule["record"].rpartition(":")[0] == rate.rpartition(":")[0]


def test_no_group_can_make_series_without_bound(groups):
    assert all(0 < group["limit"] <= 10_000 for group, _ in recorded(groups))


def test_a_group_is_evaluated_at_least_every_five_minutes_and_leaves_no_slot_unfilled(groups):
    for group, rule in recorded(groups):
        assert group["interval"] in {"30s", "1m", "2m", "5m"}
        assert "${" not in rule["expr"]


def test_what_alerts_and_objectives_count_is_recorded_every_half_minute(groups):
    slow = {"sergas-recording-durations", "sergas-recording-heatmaps"}
    seldom = {rule["record"] for group, rule in recorded(groups) if group["name"] in slow}
    assert seldom
    for group in groups:
        if not group["name"].startswith("sergas-recording-"):
            for rule in group["rules"]:
                assert names(rule["expr"]) & seldom == set(), group["name"]


@pytest.mark.parametrize("limit", ["1", "0.5"])
def test_the_limit_of_latency_meets_the_bound_as_prometheus_writes_it(limit):
    """Prometheus 3 stores le="1" as le="1.0"."""
    rendered = template(settings=[f"slos.apiLatency.limit={limit}"])
    assert f'le=~\\"{limit}([.]0)?\\"' in rendered


def test_an_objective_that_is_switched_off_leaves_no_rule():
    """The dashboards name every objective, and show those that are recorded."""
    rendered = template(settings=["slos.syncFreshness.enabled=false"])
    rules = str([item for item in objects(rendered) if item["kind"] == "PrometheusRule"])
    assert "syncFreshness" not in rules
    assert "agentSuccess" in rules


def inputs(groups):
    rules = [rule for _, rule in recorded(groups) if rule["record"] == "metric:sergas_alert_input:wanted"]
    return {rule["labels"]["metric"]: rule["labels"]["alerts"] for rule in rules}


def test_every_metric_that_an_alert_needs_is_looked_for_with_the_names_of_its_alerts(groups):
    assert inputs(groups)["pg_stat_activity_count"] == "DatabasePoolExhausted"
    assert inputs(groups)["sergas_http_requests_total"] == "APIRateLimited, HighErrorRate, TrafficStopped"


def test_nobody_looks_for_the_metrics_of_an_alert_that_is_switched_off():
    rendered = template(settings=["alerts.DatabasePoolExhausted.enabled=false", "alerts.HighErrorRate.enabled=false"])
    found = inputs(rule_groups(rendered))
    assert "pg_stat_activity_count" not in found
    assert found["sergas_http_requests_total"] == "APIRateLimited, TrafficStopped"
