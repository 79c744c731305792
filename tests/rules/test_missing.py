"""A metric that vanishes is not health: its alerts fall silent, and another alert names them."""

import pytest

from charts.promtool import run_cases

# Of these the absence is the alert; they have cases of their own.
SPEAK_OF_ABSENCE = "Watchdog|AlertInputNeverSeen"
UP = {"series": 'up{job="sergas-api", namespace="crm", instance="10.0.0.1:8000"}', "values": "1x300"}


@pytest.fixture
def judge(tmp_path, groups):
    """Run cases against all rules of the chart."""

    def run(*cases):
        done = run_cases(tmp_path, groups, cases)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def inputs(groups):
    """{metric: the alerts that read it}, of every metric that is watched."""
    wanted = "metric:sergas_alert_input:wanted"
    rules = [rule for group in groups for rule in group["rules"] if rule.get("record") == wanted]
    return {rule["labels"]["metric"]: rule["labels"]["alerts"] for rule in rules}


def case(series, at, expr, samples):
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": expr, "eval_time": at, "exp_samples": samples}],
    }


def test_where_there_is_no_metric_no_alert_that_measures_something_fires(judge):
    judge(case([UP], "4h", f'ALERTS{{alertname!~"{SPEAK_OF_ABSENCE}", alertstate="firing"}}', []))


def test_every_metric_that_vanishes_is_told_of_with_the_alerts_that_are_blind(judge, groups):
    told = {metric: alerts for metric, alerts in inputs(groups).items() if metric != "up"}
    series = [{"series": f'{metric}{{namespace="crm"}}', "values": "1x60 stale"} for metric in told]
    expr = 'count by (metric, alerts) (ALERTS{alertname="AlertInputMissing", alertstate="firing"})'
    samples = [{"labels": f'{{metric="{metric}", alerts="{alerts}"}}', "value": 1} for metric, alerts in told.items()]
    judge(case([UP, *series], "2h", expr, samples))


def test_every_alert_on_the_application_is_named_by_what_it_reads(shipped, groups):
    if shipped["category"] not in {"slo", "monitoring"}:
        assert all(shipped["name"] in inputs(groups)[metric] for metric in shipped["reads"])
