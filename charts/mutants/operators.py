"""What stands for what in a mutant, and the values next to a value."""

import re

COMPARISONS = {
    ">": ("<=", ">="),
    "<": (">=", "<="),
    ">=": ("<", ">"),
    "<=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
SET_OPERATORS = {"unless": "and", "and": "unless", "or": "unless"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "^": "*", "%": "*"}
AGGREGATIONS = {
    "sum": ("max", "avg"),
    "max": ("min", "sum"),
    "min": ("max",),
    "avg": ("max", "sum"),
    "count": ("sum",),
    "group": ("sum",),
}
FUNCTIONS = {
    "rate": ("increase", "irate"),
    "increase": ("rate",),
    "changes": ("resets",),
    "max_over_time": ("min_over_time",),
    "min_over_time": ("max_over_time",),
    "sum_over_time": ("avg_over_time",),
    "avg_over_time": ("max_over_time",),
    "count_over_time": ("sum_over_time",),
    "present_over_time": ("last_over_time",),
    "clamp_min": ("clamp_max",),
    "clamp_max": ("clamp_min",),
}
# Of these the values of what they are given do not matter, only which series there are.
COUNTING_SERIES = {"count", "group", "count_over_time", "present_over_time", "absent"}
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
LAST_ALTERNATIVE = re.compile(r"\|[^|()]*(\)?)$")


def moved(value: float) -> list[str]:
    """`value` a tenth lower and higher, at least by one where it is a count; nothing for 0, which only ever rises."""
    if value == 0:
        return []
    step = max(1, round(value / 10)) if value.is_integer() else value / 10
    return [number(value - step), number(value + step)]


def quantiles(value: float) -> list[str]:
    """The quantiles that are usual, beside `value`."""
    below = [other for other in QUANTILES if other < value][-1:]
    above = [other for other in QUANTILES if other > value][:1]
    return [number(other) for other in below + above]


def number(value: float) -> str:
    """As PromQL writes it, without a tail of rounding."""
    return f"{value:.10g}"


def narrowed(pattern: str) -> str | None:
    """A pattern of alternatives without the last of them; None where it has none."""
    shorter = LAST_ALTERNATIVE.sub(r"\1", pattern)
    return shorter if shorter != pattern else None
