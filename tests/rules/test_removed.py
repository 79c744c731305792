"""What was removed on purpose, and is declared in values alerts.removed, is not reported as lost."""

import json

import pytest

from charts.helm import rule_groups, template
from charts.promtool import run_cases

REMOVED = [{"namespace": "crm", "job": "sergas-agents"}, {"namespace": "monitoring", "job": "redis"}]
GONE = [
    {"series": f'up{{job="{job}", namespace="{namespace}", instance="10.0.0.1:8000"}}', "values": "1x10 stale"}
    for job, namespace in [
        ("sergas-agents", "crm"),
        ("sergas-agents", "erp"),
        ("sergas-api", "crm"),
        ("redis", "monitoring"),
        ("postgres", "monitoring"),
    ]
]


@pytest.fixture
def lost(tmp_path):
    """(alert, namespace, job) that fire with some settings, an hour after everything went."""

    def run(settings, expected):
        groups = rule_groups(template(settings=settings))
        samples = [
            {"labels": f'{{alertname="{alert}", namespace="{namespace}", job="{job}"}}', "value": 1}
            for alert, namespace, job in expected
        ]
        firing = 'ALERTS{alertname=~"ServiceAbsent|TargetsMissing", alertstate="firing"}'
        expr = f"count by (alertname, namespace, job) ({firing})"
        case = {
            "interval": "1m",
            "input_series": GONE,
            "promql_expr_test": [{"expr": expr, "eval_time": "1h", "exp_samples": samples}],
        }
        done = run_cases(tmp_path, groups, [case])
        assert done.returncode == 0, done.stdout + done.stderr

    return run


KEPT = [
    ("ServiceAbsent", "erp", "sergas-agents"),
    ("ServiceAbsent", "crm", "sergas-api"),
    ("TargetsMissing", "monitoring", "postgres"),
]


def test_reports_what_vanished_without_a_declaration(lost):
    lost([], [*KEPT, ("ServiceAbsent", "crm", "sergas-agents"), ("TargetsMissing", "monitoring", "redis")])


def test_does_not_report_what_is_declared_as_removed(lost):
    lost([f"alerts.removed={json.dumps(REMOVED)}"], KEPT)
