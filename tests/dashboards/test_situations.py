"""Panels show the right number when a pod is idle, restarted or stale, a service is gone, or an error is the first."""

import math
from pathlib import Path

import pytest
import yaml

from charts.panels import filled_in
from charts.promtool import run_cases

SITUATIONS = yaml.safe_load(Path(__file__).with_name("situations.yaml").read_text(encoding="utf-8"))


def panel_named(title, board, panels):
    [found] = [panel for panel in panels(board) if panel["title"] == title]
    return found


def wanted(query, at, samples):
    """Samples rounded to three decimals. promtool cannot compare NaN, so that it is asked for by not being itself."""
    if any(math.isnan(value) for value in samples.values()):
        expr, samples = f"count by () (({query}) != ({query}))", {"{}": 1}
    else:
        expr = f"round({query}, 0.001)"
    expected = [{"labels": labels, "value": value} for labels, value in samples.items()]
    return {"expr": expr, "eval_time": at, "exp_samples": expected}


@pytest.mark.parametrize("given", SITUATIONS, ids=lambda given: given["situation"])
def test_panels_show_the_right_value(given, dashboards, panels, groups, tmp_path):
    tests = []
    for name, title, samples, *more in given["panels"]:
        letter, step = (*more, "A", "1m")[:2] if more else ("A", "1m")
        panel = panel_named(title, dashboards[name], panels)
        [query] = [target["expr"] for target in panel["targets"] if target["refId"] == letter]
        tests.append(wanted(filled_in(query, step=step), given["at"], samples))
    rules = groups if given.get("rules", True) else []
    case = {"interval": given["interval"], "input_series": given["series"], "promql_expr_test": tests}
    done = run_cases(tmp_path, rules, [case], evaluation_interval="30s")
    assert done.returncode == 0, done.stdout + done.stderr
