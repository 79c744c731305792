"""Checks what an application says of a metric of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from math import inf, isnan
from typing import Final

from .catalogue import Across, Kind, MetricSpec

DEFAULT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds: those of prometheus-client."""

_ACROSS: Final = ("sum", "max", "latest")


def declared(
    kind: Kind,
    name: str,
    text: str,
    labels: Iterable[str],
    unit: str,
    *,
    buckets: Iterable[float] = (),
    across: Across = "sum",
) -> MetricSpec:
    """The description of an application's own metric.

    Raises:
        ValueError: A name, a label, the unit, a bucket or ``across`` is none that Prometheus takes.
        TypeError: The labels are one string.
    """
    _check_name(kind, name, unit)
    if isinstance(labels, str):
        raise TypeError(f'labels of {name} must be a tuple of names: write ("{labels}",)')
    spec = MetricSpec(name, kind, text, tuple(labels), unit, _checked_buckets(name, kind, buckets), across=across)
    _check_labels(spec)
    if across not in _ACROSS:
        raise ValueError(f"across of {name} must be one of {', '.join(_ACROSS)}, not {across!r}")
    return spec


def _check_name(kind: Kind, name: str, unit: str) -> None:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name):
        raise ValueError(f"{name!r} is no metric name: use letters, digits and underscores, and begin with no digit")
    base = name.removesuffix("_total") if kind == "counter" else name
    if kind == "counter" and (base == name or not base):
        raise ValueError(f"the name of a counter ends in _total: write {name}_total")
    if unit and not base.endswith(f"_{unit}"):
        raise ValueError(f"the name of a metric ends in its unit: write {base}_{unit}{name.removeprefix(base)}")


def _check_labels(spec: MetricSpec) -> None:
    for label in spec.labels:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
            raise ValueError(f"label {label!r} of {spec.name} is no label name: use letters, digits and underscores")
        if label.startswith("__") or (label == "le" and spec.kind == "histogram"):
            raise ValueError(f"label {label!r} of {spec.name} is reserved by Prometheus: choose another")
    if len(set(spec.labels)) < len(spec.labels):
        raise ValueError(f"the labels of {spec.name} are not unique: {', '.join(spec.labels)}")


def _checked_buckets(name: str, kind: Kind, buckets: Iterable[float]) -> tuple[float, ...]:
    bounds = tuple(map(float, buckets))
    if bounds[-1:] == (inf,):
        bounds = bounds[:-1]
    if kind == "histogram" and not bounds:
        raise ValueError(f"histogram {name} needs at least one bucket beside +Inf")
    if any(map(isnan, bounds)) or any(low >= high for low, high in pairwise(bounds)):
        raise ValueError(f"the buckets of {name} must be numbers that rise, not {bounds}")
    return bounds
