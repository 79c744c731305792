"""What a table's head says, and the metric that is made of it again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import Metric

from .._families import Counter, Gauge, Histogram
from .._family import Family
from ..catalogue import MetricSpec
from .snapshot import Key

_FAMILY: Final = "family"
_FOREIGN: Final = "foreign"


def head_of(family: Family[Any]) -> str:
    """The head of a family's table. Families with other labels or buckets have another, as after a change of code."""
    spec = family.spec
    return json.dumps(
        [_FAMILY, spec.name, spec.kind, spec.help, spec.labels, spec.unit, spec.buckets, spec.across],
    )


def foreign_head(metric: Metric) -> str:
    """The head of the table of a metric that prometheus-client made."""
    return json.dumps([_FOREIGN, metric.name, metric.type, metric.documentation, metric.unit])


def mode_of(family: Family[Any]) -> str:
    """How a family's values become one."""
    return "livesum" if family.spec.kind == "gauge" and family.spec.across == "sum" else family.spec.across


def name_of(head: str) -> str:
    """The metric's name."""
    return str(json.loads(head)[1])


def is_family(head: str) -> bool:
    """Whether a table is of a family, whose number of series is limited."""
    return bool(json.loads(head)[0] == _FAMILY)


class ForeignMetric:
    """A metric that prometheus-client made, of all processes: a collector."""

    def __init__(self, name: str, kind: str, help_: str, unit: str) -> None:
        self._what = (name, help_, kind, unit)
        self.begin()

    def begin(self) -> None:
        """Forget all samples."""
        self._metric = Metric(*self._what)

    def fill(self, key: Key, numbers: Sequence[float]) -> None:
        """Add a sample."""
        name, *labels = key
        self._metric.add_sample(name, dict(zip(labels[::2], labels[1::2], strict=True)), numbers[0])

    def collect(self) -> list[Metric]:
        """The metric with its samples."""
        return [self._metric]


def metric_of(head: str) -> Family[Any] | ForeignMetric:
    """An empty metric of the kind that a head describes."""
    kind, *rest = json.loads(head)
    if kind == _FOREIGN:
        return ForeignMetric(*rest)
    name, kind, help_, labels, unit, buckets, across = rest
    spec = MetricSpec(name, kind, help_, tuple(labels), unit, tuple(buckets), across=across)
    if kind == "gauge":
        return Gauge(spec, max_series=sys.maxsize, stamped=False)
    return (Counter if kind == "counter" else Histogram)(spec, max_series=sys.maxsize)
