"""The pure parts of the benchmark of dashboards: what it serves, makes up, asks and counts."""

from types import SimpleNamespace

import httpx
import pytest

from dashboards.preview.source import Series
from tests.bench.dashboards import rulecost
from tests.bench.dashboards.asking import Timing, percentile, slowest
from tests.bench.dashboards.fleet import NAMESPACES, Page, around, page, pods
from tests.bench.dashboards.history import DAY, STEP, WINDOW, windows, write


@pytest.mark.parametrize("job", ["sergas-api", "sergas-agents"])
def test_a_pod_exports_exactly_as_many_series_as_asked_for_and_none_twice(job):
    lines = page(job, 300).at(0).decode().splitlines()
    names = [line.rpartition(" ")[0] for line in lines]
    assert len(names) == len(set(names)) == 300


def test_a_pod_that_cannot_have_so_many_series_says_where_to_add_them():
    with pytest.raises(ValueError, match="not 100000: add routes in _series"):
        page("sergas-api", 100_000)


def test_a_series_rises_by_its_weight_a_second_from_its_level():
    found = Page()
    found.add('share{unit="%"}', weight=2, level=5)
    assert found.at(10) == b'share{unit="%"} 25\n'


def test_pods_are_spread_over_both_jobs_and_all_namespaces_and_are_told_apart():
    found = pods(1000)
    assert len({(pod["pod"], pod["instance"]) for pod in found}) == 1000
    assert {pod["namespace"] for pod in found} == set(NAMESPACES)
    assert sum(pod["job"] == "sergas-agents" for pod in found) == 300


def test_what_surrounds_the_application_stands_at_targets_of_its_own():
    labels = [tuple(found.items()) for found, _ in around()]
    assert len(labels) == len(set(labels))
    assert all(body.at(0) for _, body in around())


def test_windows_follow_each_other_through_all_days_and_cross_no_bound_of_a_block():
    end = 1_700_000_000
    found = list(windows(end, 5))
    assert [start for start, _ in found] == [end - 5 * DAY, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == end
    assert all(start // WINDOW == (stop - 1) // WINDOW for start, stop in found)


def test_a_record_has_a_sample_for_each_evaluation_and_what_is_scraped_one_a_minute(tmp_path):
    series = [Series({"__name__": name}, ((0.0, 1.0),)) for name in ("a:b:often", "a:b:seldom", "scraped")]
    assert write(tmp_path / "text", series, 7, 607, {"a:b:often": 30, "a:b:seldom": 300}) == 20 + 2 + 10
    lines = [line.split() for line in (tmp_path / "text").read_text().splitlines()[:-1]]
    assert [int(time) for name, _, time in lines if name == "a:b:often{}"] == list(range(30, 607, 30))
    assert [int(time) for name, _, time in lines if name == "scraped{}"] == list(range(60, 607, STEP))


def test_made_up_counters_only_rise_and_values_that_are_no_number_become_one(tmp_path):
    now = ((0.0, 7.0),)
    series = [Series({"__name__": "calls_total"}, now), Series({"__name__": "a:b:c"}, ((0.0, float("nan")),))]
    assert write(tmp_path / "text", series, 0, 3600, {}) == 120
    *lines, end = (tmp_path / "text").read_text().splitlines()
    assert end == "# EOF"
    counter = [float(line.split()[1]) for line in lines if line.startswith("calls_total")]
    assert counter == sorted(counter)
    assert counter[0] < counter[-1]
    assert not any("nan" in line for line in lines)


@pytest.mark.parametrize(("share", "value"), [(0.95, 19), (0.5, 10), (1, 20)])
def test_a_percentile_is_a_value_that_was_measured(share, value):
    assert percentile(range(20, 0, -1), share) == value


def test_the_slowest_panel_of_each_run_counts_whichever_that_was():
    timings = [
        Timing("board", "usually slow", "24 h", "", 1, 9.0, [0.3, 0.3, 0.1]),
        Timing("board", "slow once", "24 h", "", 1, 9.0, [0.1, 0.1, 0.5]),
        Timing("board", "usually slow", "30 d", "", 1, 9.0, [8.0, 8.0, 8.0]),
        Timing("other", "another's", "24 h", "", 1, 9.0, [8.0, 8.0, 8.0]),
    ]
    assert slowest(timings, "board", "24 h") == (0.5, "usually slow")


@pytest.fixture
def told(monkeypatch):
    """Groups of rules as Prometheus tells them; the test fills the list."""
    found = []
    answer = SimpleNamespace(json=lambda: {"data": {"groups": found}})
    monkeypatch.setattr(httpx, "get", lambda *_, **__: answer)
    return found


def group(name="one", took=3.0, at="2026-01-02T03:04:05.123456789Z", interval=30, **rule):
    rules = [{"name": "a:b:c", **rule}]
    return {"name": name, "interval": interval, "evaluationTime": took, "lastEvaluation": at, "rules": rules}


def test_of_each_group_the_greatest_share_of_its_interval_is_kept(told):
    shares = {}
    for took in (3.0, 6.0, 1.5):
        told[:] = [group(took=took)]
        rulecost.note("", shares)
    assert shares == {"one": 0.2}


def test_groups_of_longer_intervals_are_not_waited_for(told):
    told[:] = [group(), group("seldom", at="0001-01-01T00:00:00Z", interval=3600)]
    since = 1_767_323_044
    assert rulecost.evaluated("", since, longest=60)
    assert not rulecost.evaluated("", since)
    assert not rulecost.evaluated("", since + 2, longest=60)


def test_a_rule_that_fails_is_named_with_what_prometheus_says(told):
    told[:] = [group(lastError="many-to-many matching"), group(lastError="")]
    assert rulecost.broken("") == ["a:b:c: many-to-many matching"]
