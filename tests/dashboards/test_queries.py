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
FEW = re.compile(
    r"^(ALERTS|prometheus_|alertmanager_|sergas_operator_|sergas_digest_|probe_|metric:|process_resident_memory_bytes$)"
)


# The same for all targets of one kind. Namespace and job are told by an instance.
OF_ONE_TARGET = {"environment", "pod", "service", "container", "endpoint", "metrics_path"}


def expressions(panel):
    return [filled_in(target["expr"]) for target in panel["targets"]]


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
                raw = {metric for metric, _ in selectors(expr) if ":" not in metric and not FEW.match(metric)}
                assert raw == set(), expr


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


def test_a_figure_asks_for_the_present_alone_and_a_graph_for_the_time_shown(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            instant = panel["type"] in {"stat", "gauge", "piechart", "table"}
            assert {bool(target.get("instant")) for target in panel["targets"]} == {instant}
            assert {bool(target.get("range")) for target in panel["targets"]} == {not instant}


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
