"""Every panel can be read by a person who was woken up: words, units, colours, and ways to go on."""

import re

import yaml

from charts.helm import CHART, ROOT

UNITS = {"none", "short", "s", "d", "bytes", "Bps", "percentunit", "reqps"}
KINDS = {
    "system-overview": {"Services": "stat", "Request rate": "timeseries", "Error rate": "timeseries"},
    "agent-performance": {
        "Task execution time": "timeseries",
        "Task success rate": "timeseries",
        "Queue size": "timeseries",
        "Concurrent tasks": "timeseries",
        "Failure breakdown by type": "timeseries",
        "Retry rate": "timeseries",
        "Task throughput": "timeseries",
    },
    "sync-pipeline": {
        "Zoho API call rate": "timeseries",
        "Zoho API latency": "timeseries",
        "Rate limit left": "gauge",
        "Accounts synced (1 h)": "stat",
        "Sync failure breakdown": "timeseries",
        "Account sync lag": "stat",
        "Account processing time": "timeseries",
        "Rate limit exceeded": "timeseries",
    },
    "error-tracking": {
        "Overall error rate (5 min)": "stat",
        "HTTP error breakdown": "timeseries",
        "Errors by severity": "piechart",
        "Top error types": "table",
        "Unhandled exceptions over time": "timeseries",
        "Database errors": "timeseries",
        "Agent task failures": "timeseries",
        "Zoho integration failures": "timeseries",
        "Errors counted (1 h)": "stat",
    },
    "business-metrics": {
        "Active accounts": "stat",
        "Recommendations (24 h)": "stat",
        "Acceptance rate (24 h)": "gauge",
        "Cross-sell opportunities (24 h)": "stat",
        "Accounts processed over time": "timeseries",
        "Recommendations by type": "timeseries",
        "Confidence distribution": "heatmap",
        "Cross-sell by category": "piechart",
        "Upsell opportunities (24 h)": "stat",
        "Recommendation generation time": "timeseries",
        "Rejection reasons": "table",
        "Account enrichment performance": "timeseries",
    },
    "slos": {"Error budget left (30 d)": "stat", "Objectives": "table"},
    "monitoring": {"Firing alerts": "table", "Targets": "table"},
}
KINDS["system-overview"] |= {
    "Uptime (6 h)": "stat",
    "API latency distribution": "heatmap",
    "Slow routes": "table",
    "Container CPU throttling": "timeseries",
    "Network traffic": "timeseries",
    "Query rate": "timeseries",
    "Cache look-ups": "timeseries",
    "Batch jobs": "table",
    "Pod: CPU": "timeseries",
    "API latency": "timeseries",
    "CPU of the application": "timeseries",
    "Memory of the application": "timeseries",
    "Database connections": "timeseries",
    "Cache hit rate": "timeseries",
    "Active accounts": "timeseries",
    "Recommendations generated": "timeseries",
}


def test_the_dashboards_have_the_panels_that_were_asked_for_in_the_form_that_was_asked_for(dashboards, panels):
    assert set(dashboards) == set(KINDS)
    for name, wanted in KINDS.items():
        found = {panel["title"]: panel["type"] for panel in panels(dashboards[name])}
        assert wanted.items() <= found.items()


def test_every_panel_has_a_query_a_unit_and_words_on_what_a_bad_picture_looks_like(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            assert panel["targets"]
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
            assert len(panel["description"]) > 40
            assert panel["description"].endswith(".")


def test_every_series_has_a_name(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            assert all(target["legendFormat"] for target in panel["targets"])


def test_no_two_panels_of_a_dashboard_share_a_title(shipped, panels):
    titles = [panel["title"] for panel in panels(shipped)]
    assert len(titles) == len(set(titles))


def test_a_table_names_its_columns_and_is_sorted_by_one_of_them(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            if panel["type"] != "table":
                continue
            steps = {step["id"]: step["options"] for step in panel["transformations"]}
            names = steps["organize"]["renameByName"]
            assert set(steps["filterFieldsByName"]["include"]["names"]) == set(names)
            assert panel["options"]["sortBy"][0]["displayName"] in names.values()
            values = (
                {f"Value #{target['refId']}" for target in panel["targets"]} if len(panel["targets"]) > 1 else {"Value"}
            )
            assert values <= set(names)


def linked(panel):
    return {link["title"]: link["url"] for link in panel.get("links") or []}


def test_runbooks_that_panels_link_to_are_there(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            base = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["alerts"]["runbookBaseURL"]
            for title, url in linked(panel).items():
                if title.startswith("Runbook: "):
                    assert url == f"{base}/{title.removeprefix('Runbook: ')}.md"
                    assert (ROOT / "docs" / "runbooks" / url.rpartition("/")[2]).exists()


def test_details_that_panels_link_to_are_there_and_get_the_choice_and_the_time(every_panel, subtests, dashboards):
    for where, panel in every_panel:
        with subtests.test(where):
            uids = {dashboard["uid"] for dashboard in dashboards.values()}
            for title, url in linked(panel).items():
                if not title.startswith("Runbook: "):
                    uid, choice = re.fullmatch(r"/d/([a-z-]+)\?(.+)", url).groups()
                    assert uid in uids
                    assert "${namespace:queryparam}" in choice
                    assert "${__url_time_range}" in choice


def test_every_alert_has_its_runbook_linked_on_its_dashboard(alerts, dashboards, panels):
    for name, alert in alerts.items():
        board = next(board for board in dashboards.values() if board["uid"] == alert["dashboard"])
        assert any(f"Runbook: {name}" in linked(panel) for panel in panels(board)), name


NEUTRAL = "#808a96"


def test_no_figure_or_gauge_gives_missing_data_a_colour_of_its_thresholds(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            if panel["type"] not in {"stat", "gauge"}:
                continue
            defaults = panel["fieldConfig"]["defaults"]
            special = [found["options"] for found in defaults["mappings"] if found["type"] == "special"]
            assert special == [{"match": "null+nan", "result": {"color": NEUTRAL, "text": "No data"}}]
            assert NEUTRAL not in [step["color"] for step in defaults["thresholds"]["steps"]]


def test_a_line_that_is_not_stacked_has_no_fill(every_panel, subtests):
    for where, panel in every_panel:
        with subtests.test(where):
            if panel["type"] == "timeseries":
                custom = panel["fieldConfig"]["defaults"]["custom"]
                assert (custom["fillOpacity"] > 0) == ("stacking" in custom)


def test_figures_of_objectives_show_three_decimals(dashboards, panels):
    found = {panel["title"]: panel["fieldConfig"]["defaults"].get("decimals") for panel in panels(dashboards["slos"])}
    assert (found["Error budget left (30 d)"], found["Objectives"]) == (3, 3)


def test_firing_alerts_are_sorted_by_a_rank_that_reads_as_the_severity(dashboards, panels):
    [table] = [panel for panel in panels(dashboards["monitoring"]) if panel["title"] == "Firing alerts"]
    [override] = [found for found in table["fieldConfig"]["overrides"] if found["matcher"]["options"] == "Severity"]
    [mapping] = override["properties"][0]["value"]
    assert {rank: word["text"] for rank, word in mapping["options"].items()} == {
        "1": "critical",
        "2": "warning",
        "3": "info",
    }
    assert table["options"]["sortBy"] == [{"displayName": "Severity", "desc": False}]


def test_lines_show_the_targets_for_which_no_alert_fires(dashboards, panels):
    def steps(board, title):
        [found] = [panel for panel in panels(dashboards[board]) if panel["title"] == title]
        return [step.get("value") for step in found["fieldConfig"]["defaults"]["thresholds"]["steps"]][1:]

    assert steps("system-overview", "Cache hit rate") == [0.7, 0.8, 0.85]
    assert steps("sync-pipeline", "Account sync lag") == [300, 1800, 3600]
    assert steps("system-overview", "Uptime (6 h)") == [0.99, 0.999]
