"""What a reader sees where there is nothing, where a query fails, and where nobody answers."""

import subprocess
import sys

import pytest

from charts.helm import ROOT
from dashboards.preview.__main__ import main
from dashboards.preview.answers import ask, marks
from dashboards.preview.board import Event
from dashboards.preview.drawings import KINDS, draw
from dashboards.preview.ink import MARKED
from dashboards.preview.page import page
from dashboards.preview.server import free_port
from dashboards.preview.sheet import Sheet
from dashboards.preview.timing import window
from tests.dashboards.preview.conftest import board, panel

SHOWN = window(1_800_000_000, 3600, 300)


def svg(answer):
    sheet = Sheet(500, 200, MARKED)
    draw(sheet, sheet.box, answer)
    return sheet.svg("one")


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"text"}))
def test_a_panel_without_data_says_so_in_its_own_words(source, kind):
    answer = ask(source, board(), panel(kind, "absent_series"), SHOWN)
    assert answer.empty
    assert "No data" in svg(answer)
    assert "nothing yet" in svg(ask(source, board(), panel(kind, "absent", defaults={"noValue": "nothing yet"}), SHOWN))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_query_that_fails_is_told_in_the_panel_with_prometheus_words(source, kind):
    answer = ask(source, board(), panel(kind, "sum(((", instant=kind == "stat"), SHOWN)
    assert answer.error.startswith("A: ")
    assert "The query failed" in svg(answer)
    assert "parse error" in svg(answer)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_one_point_is_enough_to_draw(source, kind):
    options = {"content": "**Hello** [there](https://example.com)"} if kind == "text" else {}
    answer = ask(source, board(), panel(kind, "vector(3)", instant=True, options=options), SHOWN)
    assert ("Hello there" if kind == "text" else "<svg") in svg(answer)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"text"}))
def test_what_is_not_a_number_is_nothing_to_draw(source, kind):
    assert "No data" in svg(ask(source, board(), panel(kind, "vector(0) / 0"), SHOWN))


def test_values_below_zero_and_beyond_the_range_are_drawn(source):
    for expr in ("vector(-5)", "vector(1e15)", "vector(Inf)"):
        for kind in sorted(KINDS.keys() - {"text", "piechart"}):
            assert "<svg" in svg(ask(source, board(), panel(kind, expr, instant=True), SHOWN))


def test_a_variable_that_the_dashboard_lacks_is_an_error_of_its_panel(source):
    answer = ask(source, board(), panel("stat", 'up{job="$service"}'), SHOWN)
    assert "nothing replaces $service" in answer.error


def test_a_kind_that_cannot_be_drawn_says_where_to_draw_it(source):
    answer = ask(source, board(), panel("candlestick", "vector(1)"), SHOWN)
    with pytest.raises(ValueError, match="panel 'A panel' is a candlestick: draw it in dashboards/preview/drawings"):
        svg(answer)


def test_hostile_names_stay_text_in_the_page(source):
    hostile = panel("timeseries", 'label_replace(vector(1), "x", "<script>alert(1)</script>", "", "")', legend="{{x}}")
    shown = board(hostile)
    answers = [ask(source, shown, hostile, SHOWN)]
    html = page(shown, {"wide": answers, "phone": answers}, SHOWN.end, {})
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_stretch_of_an_alert_is_one_mark_and_a_time_as_value_is_a_moment(source):
    firing = Event("Firing", 'label_replace(vector(1), "alertname", "ServiceDown", "", "")', "red", value_is_time=False)
    begun = Event("Releases", f"vector({(SHOWN.end - 600) * 1000})", "blue", value_is_time=True)
    found = marks(source, board(events=[firing, begun]), SHOWN.end, 3600)
    assert [(mark.name, mark.begin == mark.end) for mark in found] == [("ServiceDown", False), ("Releases", True)]
    assert found[1].begin == SHOWN.end - 600


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--prometheus", "http://127.0.0.1:{port}"], 1, "did not answer: "),
        (["no-such-dashboard"], 1, "no dashboard no-such-dashboard; choose from agent-performance, "),
        (["--last", "soon"], 2, "soon is no duration; write one such as 15m, 6h or 1h30m"),
        (["--last", "0s"], 2, "0s is no duration"),
    ],
)
def test_the_command_ends_with_a_sentence_when_it_cannot_begin(arguments, status, said, tmp_path):
    arguments = [argument.format(port=free_port()) for argument in arguments]
    command = [sys.executable, "-m", "dashboards.preview", "--into", str(tmp_path), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_dashboards_are_drawn_over_the_last_minutes_that_were_asked_for(silent, tmp_path):
    assert main(["--prometheus", silent, "--at", "1800000000", "--last", "15m", "--into", str(tmp_path), "slos"]) == 0
    assert "07:45 to 08:00 UTC" in (tmp_path / "sergas-slos.html").read_text(encoding="utf-8")
