"""Values of several processes as one: exact, and what rises never falls, whoever dies when."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sergas_metrics import OVERFLOW, MetricSpec
from sergas_metrics._processes.merging import Merger, folded, merged, sum_rounded_up
from sergas_metrics._processes.snapshot import Table, head_of
from sergas_metrics.types import Histogram

SPEC = MetricSpec("x_total", "counter", "X.", ("a",))
HEAD = head_of(SPEC)
LIMIT = 3

amounts = st.one_of(st.integers(1, 5).map(float), st.floats(0, 1e9), st.sampled_from([0.1, 1e-9, 1e16, 1e300]))
workers = st.integers(0, 3)
events = st.lists(st.tuples(workers, st.sampled_from("abcdef"), amounts) | workers, max_size=30)


def counted(values: dict[str, float]) -> Table:
    return Table(HEAD, [(key,) for key in values], [*values.values()])


class Application:
    """Workers that count, die, and are shown together, without files."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.living: dict[int, dict[str, float]] = {}
        self.finals: list[tuple[str, float]] = []
        self.dead: list[Table] = []
        self.merger = Merger(limit)

    def happens(self, event: tuple[int, str, float] | int) -> None:
        if not isinstance(event, int):
            worker, key, amount = event
            values = self.living.setdefault(worker, {})
            values[key] = values.get(key, 0.0) + amount
        elif event in self.living:
            values = self.living.pop(event)
            self.finals += values.items()
            self.dead = folded([*self.dead, counted(values)], self.limit)

    def shown(self) -> dict[str, float]:
        found = self.merger.collectors([], {}, self.dead, map(counted, self.living.values()))
        return {s.labels["a"]: s.value for collector, _ in found for m in collector.collect() for s in m.samples}


@given(events)
def test_counters_of_all_workers_dead_or_alive_add_up_exactly(history: list[tuple[int, str, float] | int]) -> None:
    application = Application(limit=1000)
    for event in history:
        application.happens(event)
    exact: dict[str, Fraction] = {}
    living = (item for values in application.living.values() for item in values.items())
    for key, value in [*application.finals, *living]:
        exact[key] = exact.get(key, Fraction()) + Fraction(value)
    shown = application.shown()
    assert shown.keys() == exact.keys()
    for key, total in exact.items():
        # Each fold of a dead process may add one rounding, upwards.
        assert float(total) <= shown[key] <= float(total) * (1 + 1e-14 * (len(history) + 1))


@pytest.mark.parametrize("limit", [3, 1000])
@given(history=events)
def test_no_counter_falls_whoever_dies(limit: int, history: list[tuple[int, str, float] | int]) -> None:
    application = Application(limit)
    before: dict[str, float] = {}
    for event in history:
        application.happens(event)
        now = application.shown()
        # A series may move into the overflow series at the limit, and is gone then: gone is not lower.
        assert not {key: (before[key], now[key]) for key in before.keys() & now.keys() if now[key] < before[key]}
        assert OVERFLOW not in before or OVERFLOW in now
        before = now


def test_the_dead_have_a_limit_of_series_whatever_workers_brought() -> None:
    application = Application(LIMIT)
    for worker in range(50):
        application.happens((worker, f"key {worker}", 1.0))
        application.happens(worker)
    assert application.shown() == {"key 0": 1, "key 1": 1, "key 2": 1, OVERFLOW: 47}
    assert [len(part.keys) for part in application.dead] == [LIMIT + 1]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e200, max_value=1e200), max_size=20))
def test_sum_of_the_dead_is_the_least_float_not_below_the_exact_sum(values: list[float]) -> None:
    total, exact = sum_rounded_up(values), sum(map(Fraction, values), Fraction())
    assert Fraction(math.nextafter(total, -math.inf)) < exact <= Fraction(total)


@pytest.mark.parametrize(
    ("values", "expected"), [([math.inf, 1.0], math.inf), ([math.inf, -math.inf], math.nan), ([1e308, 1e308], math.inf)]
)
def test_sums_without_end_stay_what_they_are(values: list[float], expected: float) -> None:
    part = sum_rounded_up(values)
    (whole,) = merged("sum", [[value] for value in values])
    assert part == whole == expected or (math.isnan(part) and math.isnan(whole) and math.isnan(expected))


def test_a_sum_is_rounded_once() -> None:
    assert merged("sum", [[0.1]] * 10) == [1.0]  # added one by one it would be 0.9999999999999999


def test_a_histogram_adds_up_bucket_by_bucket() -> None:
    assert merged("sum", [[1, 0, 2, 0.5], [0, 3, 1, 0.25]]) == [1, 3, 3, 0.75]
    spec = MetricSpec("h", "histogram", "H.", (), "", (1.0, 2.0))
    one, two = Histogram(spec), Histogram(spec)
    one.observe(0.5)
    two.observe(1.5)
    two.observe(9.0)
    both = Histogram(spec).labels()
    both.fill(merged("sum", [family.labels().numbers() for family in (one, two)]))
    assert (both.counts, both.total) == ([1, 1, 1], 11.0)


def level(mode: str, value: float, moment: float = 0.0) -> Table:
    spec = MetricSpec("g", "gauge", "G.", across=mode)  # type: ignore[arg-type]
    return Table(head_of(spec), [()], [value, moment])


@pytest.mark.parametrize(
    ("mode", "dead", "living", "expected"),
    [
        ("sum", (40.0,), [(1.0,), (2.0,)], 3.0),
        ("max", (40.0,), [(1.0,), (2.0,)], 40.0),
        ("latest", (40.0, 7.0), [(1.0, 9.0), (2.0, 8.0)], 1.0),
        ("latest", (40.0, 10.0), [(1.0, 9.0), (2.0, 8.0)], 40.0),
    ],
)
def test_gauges_become_one_as_the_catalogue_says(
    mode: str, dead: tuple[float, ...], living: list[tuple[float, ...]], expected: float
) -> None:
    others = [level(mode, *row) for row in living]
    found = Merger(LIMIT).collectors([], {}, folded([level(mode, *dead)], LIMIT), others)
    assert [s.value for collector, _ in found for m in collector.collect() for s in m.samples] == [expected]
