"""The preview reads a dashboard and asks as Grafana would."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.preview.answers import Answer, Line, Mark, legend
from dashboards.preview.board import Variable, read
from dashboards.preview.drawings.figures import tiled
from dashboards.preview.drawings.graph import bands, limits, on_grid, told
from dashboards.preview.drawings.spread import buckets
from dashboards.preview.drawings.table import content, fair, fitting
from dashboards.preview.ink import color
from dashboards.preview.layout import PHONE, WIDE, boxes
from dashboards.preview.looks import line_color, threshold_color, value_color, value_text
from dashboards.preview.rules import layers, names, rules
from dashboards.preview.sheet import Box, divided, width, wrapped
from dashboards.preview.timing import Window, filled, rate_interval, window
from tests.dashboards.conftest import FILES
from tests.dashboards.preview.conftest import panel

HOUR, DAY = 3600, 86400


def answer(shown, *lines):
    return Answer(shown, Window(60, 60, 15), lines)


def line(name, *values, letter="A", **labels):
    return Line(name, letter, labels, tuple((15.0 * index, value) for index, value in enumerate(values)))


@pytest.mark.parametrize(
    ("seconds", "points", "step"),
    [(HOUR, 700, 15), (3 * HOUR, 700, 15), (DAY, 700, 120), (30 * DAY, 700, 3600), (30 * DAY, 350, 7200), (60, 9, 15)],
)
def test_the_step_is_grafanas_for_the_width_of_the_panel(seconds, points, step):
    assert window(1_800_000_000, seconds, points).step == step


def test_a_window_begins_and_ends_on_its_step():
    shown = window(1_800_000_007, HOUR, 50)
    assert shown.end % shown.step == shown.start % shown.step == 0


def test_a_rate_never_spans_fewer_than_four_scrapes():
    assert [rate_interval(step) for step in (15, 60, 3600)] == [60, 75, 3615]


def test_variables_are_replaced_however_they_are_written():
    shown = Window(7200, 3600, 60)
    expr = 'rate(a{n=~"$namespace",m=~"${namespace:regex}"}[$__rate_interval]) + b[$__range] + c[${__interval}]'
    assert filled(expr, shown, [Variable("namespace", ".*")]) == 'rate(a{n=~".*",m=~".*"}[75s]) + b[3600s] + c[60s]'


def test_a_group_of_a_pattern_is_no_variable():
    expr = 'label_replace(up, "a", "$1-${2}", "b", "(.)(.)")'
    assert filled(expr, Window(7200, 3600, 60), []) == expr


def test_a_series_is_named_by_the_legend_or_by_its_labels():
    labels = {"__name__": "up", "job": "api", "pod": "a"}
    assert legend("{{job}} of {{ pod }} {{gone}}", labels) == "api of a"
    assert legend("", labels) == legend("__auto", labels) == 'up{job="api", pod="a"}'


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_of_the_file_is_read_those_of_closed_rows_too(file):
    written = json.loads(file.read_text(encoding="utf-8"))["panels"]
    wanted = [
        panel["title"] for row in written for panel in [row, *(row.get("panels") or [])] if panel["type"] != "row"
    ]
    assert [panel.title for panel in read(file).panels] == wanted


@pytest.mark.parametrize("page", [WIDE, PHONE], ids=lambda page: page.name)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_panels_lie_on_the_page_and_never_over_one_another(file, page):
    for section in read(file).sections:
        placed = [box for _, box in boxes(page, section, 0)]
        assert all(box.left >= 0 and box.right <= page.width for box in placed)
        for index, one in enumerate(placed):
            for other in placed[:index]:
                apart = one.left >= other.right or other.left >= one.right or one.top >= other.bottom
                assert apart or other.top >= one.bottom


def test_a_time_that_does_not_end_now_is_refused(tmp_path):
    file = tmp_path / "old.json"
    file.write_text('{"uid": "a", "title": "A", "time": {"from": "2020-01-01", "to": "now"}, "panels": []}')
    with pytest.raises(ValueError, match="write from as now-3h"):
        read(file)


THRESHOLDS = {"steps": [{"value": None, "color": "green"}, {"value": 5, "color": "red"}]}


def test_a_value_has_the_colour_of_the_last_threshold_it_reaches():
    shown = panel(defaults={"thresholds": THRESHOLDS})
    assert [threshold_color(shown, value) for value in (-1e9, 4.9, 5, 1e9)] == ["green", "green", "red", "red"]
    shown = panel(defaults={"thresholds": THRESHOLDS | {"mode": "percentage"}, "min": 0, "max": 1000})
    assert [threshold_color(shown, value) for value in (49, 50)] == ["green", "red"]


def test_a_mapped_value_has_its_own_word_and_colour():
    mappings = [
        {"type": "value", "options": {"1": {"text": "UP", "color": "blue"}}},
        {"type": "range", "options": {"from": 7, "to": 9, "result": {"text": "MANY"}}},
    ]
    shown = panel(defaults={"mappings": mappings, "thresholds": THRESHOLDS})
    assert [value_text(shown, value) for value in (1.0, 8.0, 3.0)] == ["UP", "MANY", "3"]
    assert [value_color(shown, value) for value in (1.0, 8.0)] == [color("blue"), color("red")]


def test_an_override_gives_one_series_its_colour():
    fixed = {"id": "color", "value": {"mode": "fixed", "fixedColor": "purple"}}
    shown = panel(overrides=({"matcher": {"id": "byName", "options": "limit"}, "properties": [fixed]},))
    assert line_color(shown, line("limit", 1.0), 3) == color("purple")
    assert line_color(shown, line("other", 1.0), 3) != color("purple")


def test_a_table_joins_queries_by_their_labels_renames_columns_and_sorts():
    transformations = (
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": ["pod", "Value #A", "Value #B"]}}},
        {"id": "organize", "options": {"renameByName": {"Value #B": "Restarts"}, "indexByName": {"Value #B": 0}}},
    )
    plain = ({"matcher": {"id": "byName", "options": "Restarts"}, "properties": [{"id": "unit", "value": "none"}]},)
    sort = {"sortBy": [{"displayName": "Restarts", "desc": True}]}
    shown = panel("table", transformations=transformations, overrides=plain, options=sort, defaults={"unit": "s"})
    rows = [
        line("", 0.5, letter="A", pod="a", job="x"),
        line("", 3.0, letter="A", pod="b", job="x"),
        line("", 1.0, letter="B", pod="a", job="x"),
        line("", 7.0, letter="B", pod="b", job="x"),
    ]
    found = content(answer(shown, *rows))
    assert found.heads == ("Restarts", "pod", "Value #A")
    assert found.rows == (("7", "b", "3 s"), ("1", "a", "500 ms"))
    assert found.numeric == (True, False, True)


@given(needs=st.lists(st.floats(min_value=20, max_value=900), min_size=1, max_size=8))
def test_columns_fill_the_table_and_no_more(needs):
    assert sum(fair(needs, 400)) == pytest.approx(400, abs=0.1)


@pytest.mark.parametrize(("room", "rows"), [(124, 4), (123, 3), (108, 3), (107, 2), (20, 0)])
def test_as_many_rows_are_shown_as_leave_a_line_to_count_the_others(room, rows):
    assert fitting([24, 24, 36, 40], room, 24) == rows


@given(name=st.text("aB_-/:{}é", max_size=60), room=st.floats(min_value=20, max_value=300))
def test_a_name_on_several_lines_is_whole_and_no_line_is_too_long(name, room):
    lines = divided(name, 12, room)
    assert "".join(lines) == name
    assert all(width(line, 12) <= room for line in lines)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("ErrorBudgetBurnSlow", ["ErrorBudget", "BurnSlow"]),
        ("pg_stat_activity_count", ["pg_stat_", "activity_count"]),
        ("/accounts/{account_id}/sync", ["/accounts/", "{account_id}/", "sync"]),
        ("CPUUsageHigh", ["CPUUsage", "High"]),
        ("crm", ["crm"]),
        ("", [""]),
    ],
)
def test_a_name_is_broken_where_its_parts_meet(name, lines):
    assert divided(name, 12, 92 if len(name) > 13 else 70) == lines


def test_a_bucket_holds_what_is_not_in_the_one_below():
    lines = [line("", 4.0, 4.0, le="0.5"), line("", 6.0, 6.0, le="+Inf"), line("", 1.0, 1.0, le="0.1")]
    bounds, cells = buckets(answer(panel("heatmap"), *lines))
    assert bounds == [0.1, 0.5, float("inf")]
    assert cells[:, 0].tolist() == [1, 3, 2]


def test_a_gap_stays_a_gap():
    assert (
        str(on_grid(Line("", "A", {}, ((0.0, 1.0), (30.0, 2.0))), Window(45, 45, 15)).tolist())
        == "[1.0, nan, 2.0, nan]"
    )


def test_an_axis_has_room_above_what_it_shows_and_begins_where_the_panel_says():
    low, high = limits(answer(panel(defaults={"min": 0})), on_grid(line("", 5.0, 10.0), Window(15, 15, 15)))
    assert low == 0
    assert 10 < high < 12
    low, high = limits(answer(panel()), on_grid(line("", 5.0, 5.0), Window(15, 15, 15)))
    assert low <= 5 < high


def test_a_legend_tells_what_the_panel_asks_for():
    shown = panel(options={"legend": {"displayMode": "table", "calcs": ["lastNotNull", "max", "mean"]}})
    heads, entries = told(answer(shown, line("a", 3.0, 9.0, 6.0)), [line("a", 3.0, 9.0, 6.0)])
    assert heads == ["Last", "Max", "Mean"]
    assert entries[0].columns == ("6", "9", "6")


def test_marks_that_overlap_are_one_band():
    marks = [Mark("a", "red", 0, 10), Mark("b", "red", 5, 20), Mark("c", "blue", 6, 6), Mark("d", "red", 30, 31)]
    assert bands(marks) == [(0, 20, "red"), (30, 31, "red"), (6, 6, "blue")]


@given(count=st.integers(min_value=1, max_value=40))
def test_tiles_have_room_of_their_own(count):
    tiles = tiled(Box(0, 0, 400, 100), count)
    assert len(tiles) == count
    assert len({(round(tile.left, 3), round(tile.top, 3)) for tile in tiles}) == count
    assert all(tile.right <= 400.001 and tile.bottom <= 100.001 for tile in tiles)


@given(words=st.text(alphabet="abc xyzäö<&\n", max_size=200))
def test_lines_of_text_fit_their_room(words):
    assert all(width(text, 12) <= 80 for text in wrapped(words, 12, 80))


def test_records_are_worked_out_after_what_they_read():
    found = layers(rule for rule in rules() if not rule.alert)
    done = set()
    for layer in found:
        here = {rule.name for rule in layer}
        assert all(not names(rule.expr) & (here - done) for rule in layer)
        done |= here
    assert {name for layer in found for rule in layer for name in names(rule.expr)} <= done
