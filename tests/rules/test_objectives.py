"""Alerts on objectives against the alerts that the requirements define on the same symptoms."""

import re

import pytest
import yaml

from charts.alert_table import categories, levels, objectives
from charts.helm import CHART
from charts.promtool import run_cases

SEVERITIES = ("info", "warning", "critical")
RECORDED = ("30m", "1h", "2h", "6h", "1d", "3d", "5m")
NEEDED = re.compile("sergas-(slo.*|critical-service|business|recording-(http|agents|sync))$")
BURNING = 'ALERTS{alertname=~"ErrorBudgetBurn.*",alertstate="firing"}'
SYNC = 'job="sergas-agents", namespace="crm"'


def shipped():
    return yaml.safe_load((CHART / "slos.yaml").read_text(encoding="utf-8"))["slos"]


def of_symptom(slo):
    """The levels of the alert on the same symptom."""
    [alert] = [alert for file in categories() for alert in file["alerts"] if alert["name"] == slo["symptom"]]
    return levels(alert)


@pytest.fixture
def judge(tmp_path, groups):
    """Run a case against all rules of the chart, with the records that the alerts read."""

    def run(series, **expected):
        wanted = [
            {"expr": expr, "eval_time": at, "exp_samples": [{"labels": "{}", "value": value}] if value else []}
            for at, (expr, value) in expected.items()
        ]
        case = {"interval": "1m", "input_series": series, "promql_expr_test": wanted}
        needed = [group for group in groups if NEEDED.match(group["name"])]
        done = run_cases(tmp_path, needed, [case])
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("part", ["fast", "slow"])
@pytest.mark.parametrize("slo", shipped(), ids=lambda slo: slo["name"])
def test_an_alert_on_an_objective_is_milder_than_the_one_on_its_symptom(slo, part):
    [found] = [level for level in objectives(part) if level["slo"] == slo["name"]]
    worst = max(SEVERITIES.index(level["severity"]) for level in of_symptom(slo))
    assert SEVERITIES.index(found["severity"]) < worst


@pytest.mark.parametrize("slo", shipped(), ids=lambda slo: slo["name"])
def test_an_objective_has_as_severe_an_alert_only_where_a_test_below_compares_their_times(slo):
    mild = {level["severity"] for level in of_symptom(slo)}
    same = {
        part
        for part in ("fast", "slow")
        for level in objectives(part)
        if level["slo"] == slo["name"] and level["severity"] in mild
    }
    assert not same or slo["name"] == "syncFreshness"


@pytest.mark.parametrize("slo", shipped(), ids=lambda slo: slo["name"])
def test_windows_are_recorded_and_the_short_one_is_shorter(slo):
    for part in (slo["fast"], slo["slow"]):
        for number in "12":
            assert {part[f"long{number}"], part[f"short{number}"]} <= set(RECORDED)


def test_a_sync_that_stops_is_told_by_its_own_alert_first(judge):
    """SyncFailing is info after 30 minutes and a warning after an hour; the objective is info, and later."""
    syncing = {"series": f"sergas_zoho_sync_last_success_timestamp_seconds{{{SYNC}}}", "values": "0+60x60 3600x200"}
    failing = 'count(ALERTS{alertname="SyncFailing",alertstate="firing",severity="%s"})'
    judge(
        [syncing],
        **{
            "1h33m": (failing % "info", 1),
            "1h34m": (f"count_over_time({BURNING}[1h])", None),
            "2h3m": (failing % "warning", 1),
            "2h4m": (f"count_over_time({BURNING}[2h])", None),
            "3h": ('count(ALERTS{alertname="ErrorBudgetBurnFast",alertstate="firing",severity="info"})', 1),
            "4h": ('count_over_time(ALERTS{alertname=~"ErrorBudgetBurn.*",severity!="info"}[4h])', None),
        },
    )


def test_a_healthy_sync_every_fifteen_minutes_raises_nothing(judge):
    times = " ".join(["60x14", *(f"{900 * number}x14" for number in range(1, 16))])
    series = [
        {"series": f"sergas_zoho_sync_last_success_timestamp_seconds{{{SYNC}}}", "values": times},
        {"series": f"sergas_zoho_sync_lag_seconds{{{SYNC}}}", "values": "900x240"},
    ]
    judge(series, **{"4h": ('count_over_time(ALERTS{alertname=~"ErrorBudgetBurn.*|SyncFailing"}[4h])', None)})


def test_an_api_that_fails_altogether_pages_once(judge):
    requests = 'sergas_http_requests_total{job="sergas-api", namespace="crm", route="/accounts", status="%s"}'
    series = [
        {"series": requests % 200, "values": "0+600x60 36000x30"},
        {"series": requests % 500, "values": "0x60 0+600x30"},
    ]
    critical = 'ALERTS{severity="critical",alertstate="firing"}'
    judge(
        series,
        **{
            "1h15m": (f"count by () ({critical})", 1),
            "1h16m": (f'count by () ({critical} and on () ALERTS{{alertname="HighErrorRate"}})', 1),
            "1h17m": ('count(ALERTS{alertname="ErrorBudgetBurnFast",alertstate="firing",severity="warning"})', 1),
        },
    )
