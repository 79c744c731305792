"""Every panel asks a question that Prometheus can read, of series that are there, in few enough of them."""

import re

import promql_parser
import pytest

from charts.expressions import raw_metrics, selectors
from charts.panels import EVERYTHING, filled_in
from charts.promql import labels, problems
from sergas_metrics.catalogue import CATALOGUE

CHOICES = {
    "all": EVERYTHING,
    "one": dict.fromkeys(EVERYTHING, "crm"),
    "two": dict.fromkeys(EVERYTHING, "(crm|sales)"),
    "none": dict.fromkeys(EVERYTHING, ""),
}
# Programs of which each cluster runs a few. Whatever the application exports grows with its pods.
FEW = re.compile(r"^(ALERTS|prometheus_|alertmanager_|sergas_operator_|sergas_digest_|probe_|push_|metric:)")


# A range of the step, or a window that is longer than any step of a default time range.
OVER_TIME = re.compile(r"\[\$__interval\]|\[(15m|1h|1d)\]|:(increase1[hd]|changes15m)\b")
# The same for all targets of one kind. Namespace and job are told by an instance.
OF_ONE_TARGET = {"environment", "pod", "service", "container", "endpoint", "metrics_path"}


def expressions(panel):
    """Its queries at the shortest step that it may have."""
    return [filled_in(target["expr"], step=panel.get("interval") or "1m") for target in panel["targets"]]


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_expression_is_promql_whatever_is_chosen(every_panel, subtests, choice):
    for where, panel in every_panel:
        with subtests.test(where):
            for target in panel["targets"]:
                promql_parser.parse(filled_in(target["expr"], choice))


def test_nothing_is_wrong_with_any_expression(every_panel, subtests, known):
    for where, panel in every_panel:
        with subtests.test(where):
            assert [problem for expr in expressions(panel) for problem in problems(expr, known)] == []


def test_what_the_application_exports_is_read_from_records(every_panel, subtests):
    """A query over the raw series of a thousand pods takes seconds, and one over a record a few milliseconds."""
    for where, panel in every_panel:
        with subtests.test(where):
            for expr in expressions(panel):
                raw = {metric for metric, labels in selectors(expr) if ":" not in metric and "pod" not in labels}
                assert {metric for metric in raw if not FEW.match(metric)} - of_other_jobs(expr) == set(), expr


def of_other_jobs(expr):
    """Metrics of every process that are read without those of the application."""
    found = re.findall(r'(process_[a-z_]+)\{[^}]*job!~"sergas-\(api\|agents\)"', expr)
    return {metric for metric in found if expr.count(metric) == found.count(metric)}


def test_every_series_is_chosen_by_its_environment(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            for expr in expressions(panel):
                assert all("environment" in labels for _, labels in selectors(expr))


def test_the_names_of_series_are_made_of_labels_they_have(every_panel, subtests, known):
    for where, panel in every_panel:
        with subtests.test(where):
            for target in panel["targets"]:
                named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                assert named <= labels(filled_in(target["expr"]), known)


def test_no_label_that_tells_series_apart_is_missing_in_their_name(every_panel, subtests, known):
    """Series that differ in a label their name does not show would stand in the legend twice."""
    for where, panel in every_panel:
        with subtests.test(where):
            for target in panel["targets"] if panel["type"] in ("timeseries", "piechart") else ():
                named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                told = {"namespace", "job"} if "instance" in named else set()
                assert labels(filled_in(target["expr"]), known) - named <= OF_ONE_TARGET | told


def test_no_two_queries_of_a_panel_share_a_letter(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            letters = [target["refId"] for target in panel["targets"]]
            assert len(letters) == len(set(letters))


def test_every_query_uses_the_chosen_data_source(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert {(source["type"], source["uid"]) for source in sources} == {("prometheus", "${datasource}")}


def test_a_figure_without_sparkline_queries_the_present_alone_and_a_graph_the_time_range(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            instant = panel["type"] in {"stat", "gauge", "piechart", "table"} and not has_sparkline(panel)
            assert {bool(target.get("instant")) for target in panel["targets"]} == {instant}
            assert {bool(target.get("range")) for target in panel["targets"]} == {not instant}


def has_sparkline(panel):
    return panel["options"].get("graphMode", "none") != "none"


def test_a_figure_over_time_has_one_value_without_labels_and_nan_where_data_is_missing(every_panel, subtests, known):
    """Its last value would be an old one where the newest is missing, without the NaN."""
    for where, panel in every_panel:
        with subtests.test(where):
            if panel["type"] == "stat" and has_sparkline(panel):
                [expr] = expressions(panel)
                assert expr.endswith(" or vector(NaN)")
                assert labels(expr, known) == set()
                assert panel["maxDataPoints"] == 2000
                assert panel["options"]["reduceOptions"]["calcs"] == ["last"]


def test_a_graph_of_records_aggregates_over_its_step(every_panel, subtests):
    """A record of five minutes sampled every hour hides a total outage of 12 minutes most of the time."""
    for where, panel in every_panel:
        with subtests.test(where):
            if panel["type"] == "timeseries":
                for target in panel["targets"]:
                    assert OVER_TIME.search(target["expr"]), target["expr"]
                    assert panel["interval"] in {"1m", "2m", "5m"}


@pytest.fixture(scope="session")
def records(groups):
    """The expressions of each record."""
    found = {}
    for rule in (rule for group in groups for rule in group["rules"] if "record" in rule):
        found.setdefault(rule["record"], []).append(rule["expr"])
    return found


def test_the_catalogue_says_of_each_metric_which_dashboards_read_it(dashboards, panels, records):
    used = {}
    for board in dashboards.values():
        every = [expr for panel in panels(board) for expr in expressions(panel)]
        # A panel that counts the series of all metrics is about none of them.
        for expr in (expr for expr in every if "sergas_alert_input" not in expr):
            for metric in raw_metrics(expr, records):
                used.setdefault(metric, set()).add(board["title"].replace("Sergas / ", "dashboard: "))
    for spec in CATALOGUE:
        names = [spec.name, *(f"{spec.name}_{part}" for part in ("bucket", "sum", "count"))]
        read = set().union(*(used.get(name, set()) for name in names))
        assert {user for user in spec.used_by if user.startswith("dashboard: ")} == read, spec.name


def test_every_alert_has_its_series_on_its_dashboard(alerts, dashboards, panels, records):
    for alert in alerts.values():
        board = next(board for board in dashboards.values() if board["uid"] == alert["dashboard"])
        shown = set().union(
            *(raw_metrics(expr, records) for panel in panels(board) for expr in expressions(panel)),
        )
        assert set(alert["reads"]) <= shown, f"{alert['name']} on {alert['dashboard']}"
