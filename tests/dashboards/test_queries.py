"""Every panel asks a question that Prometheus can read, of series that are there, in few enough of them."""

import re
from dataclasses import replace

import promql_parser
import pytest

from charts.expressions import TARGET_LABELS, exported_series, raw_metrics, recorded_series, selectors
from charts.known import known_series
from charts.panels import EVERYTHING, filled_in
from charts.promql import problems
from sergas_metrics.catalogue import CATALOGUE

CHOICES = {
    "all": EVERYTHING,
    "one": dict.fromkeys(EVERYTHING, "crm"),
    "two": dict.fromkeys(EVERYTHING, "(crm|sales)"),
    "none": dict.fromkeys(EVERYTHING, ""),
}
# Series that Prometheus itself makes.
OWN = {"ALERTS": {"alertname", "alertstate", "severity", "category"}}
# Programs of which each cluster runs a few. Whatever the application exports grows with its pods.
FEW = re.compile(r"^(ALERTS|prometheus_|alertmanager_|sergas_operator_|probe_|metric:|process_resident_memory_bytes$)")


def expressions(panel):
    return [filled_in(target["expr"]) for target in panel["targets"]]


@pytest.fixture(scope="session")
def known(groups):
    return exported_series() | recorded_series(groups) | OWN


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_expression_is_promql_whatever_is_chosen(every_panel, subtests, choice):
    for where, panel in every_panel:
        with subtests.test(where):
            for target in panel["targets"]:
                promql_parser.parse(filled_in(target["expr"], choice))


def test_every_expression_reads_series_that_somebody_exports_or_records_with_labels_they_have(
    every_panel, subtests, known
):
    for where, panel in every_panel:
        with subtests.test(where):
            for expr in expressions(panel):
                for metric, labels in selectors(expr):
                    assert metric in known
                    assert labels <= known[metric] | TARGET_LABELS | {"environment"}


def test_rates_ranges_groupings_and_matchings_are_ones_that_can_answer(every_panel, subtests, groups):
    # The environment is a label that Prometheus gives to all it sends.
    known = {name: replace(one, labels=one.labels | {"environment"}) for name, one in known_series(groups).items()}
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
                labels = set().union(*(known[metric] for metric, _ in selectors(filled_in(target["expr"]))))
                labels |= set(re.findall(r'"(\w+)", "\$1"', target["expr"]))
                assert named <= labels | TARGET_LABELS
                whole = promql_parser.parse(filled_in(target["expr"]))
                if isinstance(whole, promql_parser.AggregateExpr) and whole.modifier:
                    assert named <= set(whole.modifier.labels)


def test_a_record_is_read_with_its_own_labels_in_the_name(every_panel, subtests, known):
    """A series of a record that keeps more labels than its name shows would stand twice in the legend."""
    for where, panel in every_panel:
        with subtests.test(where):
            for target in panel["targets"]:
                alone = re.fullmatch(r"([a-z_]+:[a-z_]+:[a-z0-9_]+)\{[^}]*\}", target["expr"])
                if alone and panel["type"] != "table":
                    named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                    chosen = {"namespace"} if panel["type"] in ("stat", "gauge") else set()
                    assert known[alone[1]] - named - chosen <= {"alerts"}


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
