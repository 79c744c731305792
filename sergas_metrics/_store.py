"""All families of one registry."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry

from . import _boundary
from ._exemplars import exemplar_note, opentelemetry_trace
from ._families import KINDS, Counter, Gauge, Histogram
from ._private import collectors_of
from .catalogue import CATALOGUE, MetricSpec

if TYPE_CHECKING:
    from ._processes import Publisher

AnyFamily = Counter | Gauge | Histogram
Kind = TypeVar("Kind", Counter, Gauge, Histogram)


class Settings(NamedTuple):
    """What the collectors of a registry agree on.

    Attributes:
        max_series: The limit of series of each metric.
        exemplars: Whether counters and histograms keep the ids of traces.
        directory: Where several processes share what they record; ``None`` for one process.
    """

    max_series: int
    exemplars: bool
    directory: Path | None


class Store:
    """The metrics of a registry: the catalogue's, and the application's own.

    Args:
        registry: Where the families are registered.
        settings: What they have in common.

    Attributes:
        settings: What they have in common.
        publisher: Shares what this process records with others, where there are others.
    """

    def __init__(self, registry: CollectorRegistry, settings: Settings) -> None:
        self.settings = settings
        self._exemplar_note = exemplar_note(opentelemetry_trace()) if settings.exemplars else None
        self._families: dict[str, AnyFamily] = {}
        for spec in CATALOGUE:
            self._families[spec.name] = self._new(spec)
        self._overflow = self.family("sergas_metrics_overflow_total", Counter)
        self.register(registry)
        _boundary.counters.add(self._families[_boundary.ERRORS])
        self.family("sergas_metrics_processes", Gauge).set(0 if settings.directory else 1)
        self.publisher = self._new_publisher(registry, settings.directory) if settings.directory else None

    def family(self, name: str, kind: type[Kind]) -> Kind:
        """A family of the catalogue, which is of this kind."""
        family = self._families[name]
        assert isinstance(family, kind)  # noqa: S101  # the catalogue says so, and tests ask for every one
        return family

    def own(self, registry: CollectorRegistry, spec: MetricSpec) -> AnyFamily:
        """The family of a metric of the application's own, made and registered when first asked for.

        Raises:
            ValueError: The registry holds a metric of that name that is another.
        """
        with _stores_lock:
            family = self._families.get(spec.name)
            if family is None:
                family = self._new(spec)
                registry.register(family)
                self._families[spec.name] = family
        if family.spec != spec:
            raise ValueError(f"{spec.name} is a metric already, with other settings: {family.spec}")
        return family

    def register(self, registry: CollectorRegistry) -> None:
        """Register the families that are not, as on a registry that was emptied.

        Raises:
            ValueError: The registry holds a metric with one of their names.
        """
        known, done = collectors_of(registry), list[AnyFamily]()
        try:
            for family in self._families.values():
                if family not in known:
                    registry.register(family)
                    done.append(family)
        except ValueError as error:
            for family in done:
                registry.unregister(family)
            raise ValueError(
                f"cannot register the Sergas metrics: {error}. Rename the application's own metric, or give "
                "MetricsCollector a registry of its own: MetricsCollector(CollectorRegistry())"
            ) from error

    def _new(self, spec: MetricSpec) -> AnyFamily:
        note = self._exemplar_note if spec.kind != "gauge" else None
        if self.settings.directory and spec.across == "latest":
            note = _note_moment
        family: AnyFamily = KINDS[spec.kind](
            spec, max_series=self.settings.max_series, on_overflow=self._count_overflow, note=note
        )
        return family

    def _count_overflow(self, metric: str) -> None:
        if metric != self._overflow.spec.name:
            self._overflow.labels(metric).inc()

    def _new_publisher(self, registry: CollectorRegistry, directory: Path) -> Publisher:
        try:
            from ._processes import Publisher  # noqa: PLC0415  # only where several processes share a directory
        except ImportError as error:  # of fcntl
            raise OSError(
                "metrics of many processes need POSIX file locks, which this system lacks: run one process"
            ) from error
        return Publisher(
            registry,
            directory,
            self.settings.max_series,
            processes=self.family("sergas_metrics_processes", Gauge),
            unreadable=self.family("sergas_metrics_unreadable_files_total", Counter),
        )


def _note_moment(cell: Any, _: float) -> None:
    """Note when a gauge was set last."""
    cell.extra = monotonic()


_stores: WeakKeyDictionary[CollectorRegistry, Store] = WeakKeyDictionary()
_stores_lock = Lock()


def store_of(registry: CollectorRegistry, settings: Settings) -> Store:
    """The one store of a registry, so that collectors which share a registry share their series.

    Raises:
        ImportError: Exemplars are asked for and OpenTelemetry is not installed.
        OSError: The directory cannot be made, or this system has no file locks.
        ValueError: The registry's store was made with other settings, the registry holds a metric with one of our
            names, or another registry of this process has the directory.
    """
    with _stores_lock:
        store = _stores.get(registry)
        if store is None:
            store = _stores[registry] = Store(registry, settings)
        else:
            store.register(registry)
    for name, made, asked in zip(Settings._fields, store.settings, settings, strict=True):
        if made != asked:
            advice = "the same limit" if name == "max_series" else "the same"
            raise ValueError(
                f"this registry's Sergas metrics were made with {name}={made}, not {asked}: use {advice}, or "
                "give MetricsCollector a registry of its own"
            )
    return store


def store_in(registry: CollectorRegistry) -> Store | None:
    """The store of a registry, if there is one."""
    return _stores.get(registry)


def publisher_of(registry: CollectorRegistry) -> Publisher | None:
    """What shares a registry's metrics between processes, if they are shared."""
    store = _stores.get(registry)
    return store.publisher if store else None
