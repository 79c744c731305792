"""Every panel can be read by a person who was woken up: words, units, colours, and ways to go on."""

import re

import pytest
import yaml

from charts.alert_table import objectives
from charts.helm import CHART, ROOT

UNITS = {"none", "short", "s", "d", "bytes", "percentunit", "reqps"}
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
        "Accounts synced": "stat",
        "Sync failure breakdown": "timeseries",
        "Account sync lag": "stat",
        "Account processing time": "timeseries",
        "Rate limit exceeded": "timeseries",
    },
    "error-tracking": {
        "Overall error rate": "stat",
        "HTTP error breakdown": "timeseries",
        "Errors by severity": "piechart",
        "Top error types": "table",
        "Unhandled exceptions over time": "timeseries",
        "Database errors": "timeseries",
        "Agent task failures": "timeseries",
        "Zoho integration failures": "timeseries",
        "Errors counted": "stat",
    },
    "business-metrics": {
        "Active accounts": "stat",
        "Recommendations a day": "stat",
        "Acceptance rate": "gauge",
        "Cross-sell opportunities": "stat",
        "Accounts processed over time": "timeseries",
        "Recommendations by type": "timeseries",
        "Confidence distribution": "heatmap",
        "Cross-sell by category": "piechart",
        "Upsell opportunities": "stat",
        "Recommendation generation time": "timeseries",
        "Rejection reasons": "table",
        "Account enrichment performance": "timeseries",
    },
    "slos": {"Error budget left": "stat", "Objectives": "table"},
    "monitoring": {"Firing alerts": "table", "Targets": "table"},
}
KINDS["system-overview"] |= {
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


@pytest.mark.parametrize(
    "shown",
    [
        ("system-overview", "Failing requests", "HighErrorRate", "red"),
        ("system-overview", "Error rate", "HighErrorRate", "red"),
        ("system-overview", "API latency", "APILatencyCritical", "red"),
        ("system-overview", "95th percentile", "APILatencyCritical", "red"),
        ("system-overview", "Requests in flight", "RequestsPilingUp", "red"),
        ("system-overview", "Restarts in 15 minutes", "ServiceRestarting", "red"),
        ("system-overview", "Fullest pool", "DatabasePoolExhausted", "red"),
        ("system-overview", "CPU of the nodes", "CPUUsageHigh", "yellow"),
        ("system-overview", "Disks and volumes", "DiskUsageHigh", "yellow"),
        ("error-tracking", "Refused for their rate", "APIRateLimited", "yellow"),
        ("agent-performance", "Queue size", "AgentQueueBacklog", "red"),
        ("sync-pipeline", "Account sync lag", "SyncFailing", "red"),
        ("monitoring", "Remote write behind", "RemoteWriteBehind", "yellow"),
    ],
)
def test_a_panel_changes_colour_where_its_alert_fires(dashboards, panels, alerts, shown):
    board, title, alert, color = shown
    panel = next(panel for panel in panels(dashboards[board]) if panel["title"] == title)
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps if step["color"] == color] == [alerts[alert]["threshold"]]


def test_the_lines_of_burn_rates_are_those_of_the_alerts(dashboards, panels):
    found = {
        panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"] for panel in burning(dashboards, panels)
    }
    fast, slow = objectives("fast"), objectives("slow")
    assert {level["factor1"] for level in fast} == {found["Fast burn"][-1]["value"]}
    assert {level["factor1"] for level in slow} == {found["Slow burn"][-1]["value"]}


def burning(dashboards, panels):
    return [panel for panel in panels(dashboards["slos"]) if panel["title"] in ("Fast burn", "Slow burn")]
