"""Numbers are written as Grafana writes them."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.preview.drawings.ticks import value_ticks
from dashboards.preview.units import digits, written

SIZES = {"": 1, "K": 1e3, "Mil": 1e6, "Bil": 1e9, "Tri": 1e12}
TIMES = {
    "ns": 1e-9,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "mins": 60,
    "hours": 3600,
    "days": 86400,
    "weeks": 604800,
    "years": 31557600,
}
BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.9987, "percentunit", "99.9%"),
        (0, "percentunit", "0%"),
        (42, "percent", "42%"),
        (1234.5, "short", "1.23 K"),
        (12507, "none", "12507"),
        (33.333, "none", "33.3"),
        (0.00034, "s", "340 µs"),
        (0, "s", "0 s"),
        (93, "s", "1.55 mins"),
        (1500, "ms", "1.50 s"),
        (1.5e9, "bytes", "1.40 GiB"),
        (1.5e9, "decbytes", "1.50 GB"),
        (12.345, "reqps", "12.3 req/s"),
        (4200, "reqps", "4.20 k req/s"),
        (11100, "dtdurations", "3 hours, 5 minutes"),
        (14, "d", "2 weeks"),
        (1, "bool_yes_no", "Yes"),
        (17, "furlong", "17 furlong"),
        (math.nan, "s", "NaN"),
        (-math.inf, "bytes", "-Inf"),
    ],
)
def test_a_value_is_written_in_its_unit(value, unit, text):
    assert written(value, unit) == text


def test_decimals_are_as_many_as_the_panel_says():
    assert written(0.12345, "percentunit", 0) == "12%"
    assert written(1.5, "s", 3) == "1.500 s"


@pytest.mark.parametrize(("unit", "scale"), [("short", SIZES), ("s", TIMES), ("bytes", BYTES)])
@given(value=st.floats(min_value=1e-5, max_value=1e14))
def test_what_is_written_is_the_value_within_half_a_percent(unit, scale, value):
    number, suffix = re.fullmatch(r"([\d.]+) ?(\S*)", written(value, unit)).groups()
    assert float(number) * scale[suffix] == pytest.approx(value, rel=0.005)


@given(value=st.floats(min_value=-1e12, max_value=1e12))
def test_a_plain_number_has_no_exponent_and_no_minus_before_nothing(value):
    text = digits(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert not re.fullmatch(r"-0(\.0*)?", text)


@pytest.mark.parametrize("unit", ["none", "short", "percentunit", "s", "bytes", "reqps", "d"])
@given(high=st.floats(min_value=1e-6, max_value=1e12), most=st.integers(min_value=2, max_value=9))
def test_an_axis_tells_different_values_with_different_words(unit, high, most):
    ticks, texts = value_ticks(0, high, most, unit)
    assert 1 <= len(ticks) <= most + 2
    assert len(set(texts)) == len(ticks)
    assert all(0 <= tick <= high for tick in ticks)


@pytest.mark.parametrize("high", [65, 111, 5000, 100_000, 900_000])
def test_an_axis_that_crosses_from_one_unit_of_time_to_the_next_has_short_words(high):
    _, texts = value_ticks(0, high, 5, "s")
    assert all(re.fullmatch(r"\d+(\.\d{1,2})? \w+", text) for text in texts), texts
