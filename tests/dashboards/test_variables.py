"""What a reader chooses holds on the whole dashboard, and what happened is drawn over it."""

import re

import promql_parser

from charts.expressions import selectors
from charts.panels import filled_in

OFFERED = {
    "system-overview": ["service", "pod"],
    "agent-performance": ["agent"],
    "sync-pipeline": [],
    "error-tracking": ["service"],
    "business-metrics": [],
    "slos": [],
    "monitoring": [],
}
FIRST = ["datasource", "environment", "namespace"]


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def test_the_dashboards_offer_the_same_choice_first_and_then_their_own(dashboards):
    found = {name: list(variables(dashboard)) for name, dashboard in dashboards.items()}
    assert found == {name: [*FIRST, *own] for name, own in OFFERED.items()}


def test_everything_is_chosen_to_begin_with_also_series_without_the_label(shipped):
    for variable in [found for name, found in variables(shipped).items() if name not in {"datasource", "pod"}]:
        assert variable["current"]["value"] == "$__all"
        assert variable["allValue"] == ".*"
        assert variable["multi"] is True


def test_what_is_offered_is_used_and_what_is_used_is_offered(shipped, panels):
    used = {
        name
        for panel in panels(shipped)
        for target in panel["targets"]
        for name in re.findall(r"\$\{?([a-z_]+)", target["expr"])
    } - {"__interval"}
    assert used == set(variables(shipped)) - {"datasource"}


def test_the_values_to_choose_from_are_asked_of_records_within_what_was_chosen_before(shipped, known):
    for name, variable in list(variables(shipped).items())[1:]:
        series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
        [(metric, labels)] = selectors(filled_in(series))
        assert label in known[metric].labels
        assert name == "environment" or "environment" in labels


def test_alerts_and_releases_are_drawn_over_every_graph(shipped):
    events = {event["name"]: event for event in shipped["annotations"]["list"]}
    assert list(events) == ["Firing alerts", "Releases and restarts"]
    for event in events.values():
        promql_parser.parse(filled_in(event["expr"]))
        assert event["datasource"]["uid"] == "${datasource}"
    # The value of the series is the time of the event, in milliseconds.
    assert events["Releases and restarts"]["useValueForTime"] is True
    assert events["Releases and restarts"]["expr"].endswith("* 1000")


def test_the_default_data_source_is_chosen_to_begin_with(shipped):
    assert variables(shipped)["datasource"]["current"]["value"] == "default"


def test_a_namespace_without_the_application_is_not_taken_from_a_link(dashboards):
    """Alerts on exporters link with the exporter's namespace, in which every panel of the application is empty."""
    for name, dashboard in dashboards.items():
        assert variables(dashboard)["namespace"]["allowCustomValue"] is (name == "monitoring")


def test_one_pod_is_chosen_and_never_all_of_them(dashboards):
    pod = variables(dashboards["system-overview"])["pod"]
    assert (pod["multi"], pod["includeAll"]) == (False, False)


SPANS = {"slos": ("now-30d", "5m"), "business-metrics": ("now-7d", "5m")}


def test_the_time_range_and_refresh_fit_the_question(dashboards):
    for name, dashboard in dashboards.items():
        assert (dashboard["time"]["from"], dashboard["refresh"]) == SPANS.get(name, ("now-3h", "30s"))
