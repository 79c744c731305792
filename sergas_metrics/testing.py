"""For tests of applications that record metrics. Needs pytest.

Put ``pytest_plugins = ["sergas_metrics.testing"]`` into the outermost conftest.py for the fixtures ``sergas_metrics``
and ``recorded``, or make a ``Recorded`` of any collector or registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry

from ._collector import MetricsCollector
from ._render import registry_of

__all__ = ["Recorded", "recorded", "sergas_metrics"]


class Recorded:
    """What a collector or a registry has recorded.

    Args:
        source: A collector or a registry; the default registry when left out.
    """

    def __init__(self, source: MetricsCollector | CollectorRegistry | None = None) -> None:
        self._registry = registry_of(source)

    def value(self, name: str, **labels: str) -> float:
        """The value of one sample; 0 where there is none yet, as ``rate`` and ``increase`` take it.

        Args:
            name: The sample's full name: of a histogram ``..._count``, ``..._sum`` or ``..._bucket`` with ``le``.
            **labels: All of its labels.
        """
        return self._registry.get_sample_value(name, labels) or 0.0

    def series(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Every sample of a name: its labels as pairs in order of their names, to its value."""
        samples = [sample for metric in self._registry.collect() for sample in metric.samples if sample.name == name]
        return {tuple(sorted(sample.labels.items())): sample.value for sample in samples}

    def assert_value(self, name: str, expected: float, **labels: str) -> None:
        """Assert the value of one sample, and name those there are if it is another.

        Raises:
            AssertionError: The value is not the expected one.
        """
        value = self.value(name, **labels)
        if value != pytest.approx(expected):
            raise AssertionError(f"{_shown(name, labels)} is {value:g}, not {expected:g}{self._has(name)}")

    @contextmanager
    def increases(self, name: str, *, by: float = 1.0, **labels: str) -> Iterator[None]:
        """Assert that a sample rises by an amount within a block, whatever it was before.

        Raises:
            AssertionError: It rose by another amount.
        """
        before = self.value(name, **labels)
        yield
        rise = self.value(name, **labels) - before
        if rise != pytest.approx(by):
            raise AssertionError(f"{_shown(name, labels)} rose by {rise:g}, not {by:g}{self._has(name)}")

    def _has(self, name: str) -> str:
        there = [f"{_shown(name, dict(labels))} {value:g}" for labels, value in self.series(name).items()]
        return f"; recorded are {', '.join(there)}" if there else f"; nothing called {name} is recorded"


def _shown(name: str, labels: dict[str, str]) -> str:
    inside = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


@pytest.fixture
def sergas_metrics() -> MetricsCollector:
    """A collector of a registry of its own, so that tests do not see each other's samples."""
    return MetricsCollector(CollectorRegistry())


@pytest.fixture
def recorded(sergas_metrics: MetricsCollector) -> Recorded:
    """What the fixture ``sergas_metrics`` has recorded."""
    return Recorded(sergas_metrics)
