"""Grafana shows every panel without an error: each query goes through Grafana, as its page would send it."""

from itertools import groupby

import pytest

from charts.panels import EVERYTHING, asked

DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
STEP_MILLISECONDS, POINTS = 15_000, 1_000
SHAPES = {"table": "table", "heatmap": "heatmap"}
CHOICES = {"all": EVERYTHING, "none": dict.fromkeys(EVERYTHING, "no-such")}


def body(query):
    """A query as the page of a dashboard sends it."""
    sent = {
        "refId": query.letter,
        "datasource": DATASOURCE,
        "expr": query.expr,
        "format": SHAPES.get(query.kind, "time_series"),
        "instant": query.instant,
        "range": not query.instant,
        "intervalMs": STEP_MILLISECONDS,
        "maxDataPoints": POINTS,
    }
    return {"from": "now-1h", "to": "now", "queries": [sent]}


def trouble(grafana, query):
    """What Grafana complains of, if it does."""
    answer = grafana.post("/api/ds/query", json=body(query))
    if not answer.is_success:
        return f"{query.panel} ({query.letter}): {answer.status_code} {answer.text}"
    result = answer.json()["results"][query.letter]
    return f"{query.panel} ({query.letter}): {result['error']}" if "error" in result else None


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("uid", sorted({query.dashboard for query in asked()}))
def test_no_panel_of_the_dashboard_has_an_error_whatever_is_chosen(stack, uid, choice):
    boards = {name: list(queries) for name, queries in groupby(asked(choice), key=lambda query: query.dashboard)}
    assert boards[uid]
    assert [said for said in (trouble(stack.grafana, query) for query in boards[uid]) if said] == []
