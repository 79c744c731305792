"""A registry's metrics as bytes. A collector that raises costs its own metrics and nothing else."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from time import sleep
from typing import Any, Final, NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from ._collector import MetricsCollector
from ._families import Counter
from ._family import Family
from ._private import collectors_of
from ._store import publisher_of, store_in
from ._text import Format, chosen

_log = logging.getLogger("sergas_metrics")

_FAILURES: Final = "sergas_metrics_collector_failures_total"
_GZIP_LEVEL: Final = 1  # a third of level 9's time for a tenth more bytes, on exposition text
_GZIP_WINDOW: Final = 31  # the largest window, with gzip's header and checksum around it
_BLOCK_BYTES: Final = 1 << 15
_PAUSE_SECONDS: Final = 50e-6


class Rendered(NamedTuple):
    """Metrics in a format of Prometheus.

    Attributes:
        body: The text in UTF-8.
        content_type: How HTTP calls its format.
    """

    body: bytes
    content_type: str


def render(*, source: MetricsCollector | CollectorRegistry | None = None, accept: str = "") -> Rendered:
    """All metrics of a registry, whatever their origin, as Prometheus reads them.

    The text is that of prometheus-client's ``generate_latest``, save that a collector that raises costs its own
    metrics and nothing else.

    Args:
        source: A collector or a registry; the default registry when left out.
        accept: What an ``Accept`` header would say, such as ``application/openmetrics-text; version=1.0.0``; the text
            format 0.0.4 when left out.
    """
    format_ = chosen(accept)
    return Rendered(b"".join(_pieces(registry_of(source), format_, ())), format_.content_type)


def registry_of(source: MetricsCollector | CollectorRegistry | None) -> CollectorRegistry:
    """The registry behind what a caller gave."""
    if source is None:
        return REGISTRY
    return source if isinstance(source, CollectorRegistry) else source.registry


def render_in_turns(registry: CollectorRegistry, accept: str, names: tuple[str, ...], *, gzipped: bool) -> Rendered:
    """What a scrape asks for, rendered so that other threads, an event loop's above all, run in between.

    A thread that computes gives way after 5 ms and no sooner, unless it waits for something. One that never waits is
    also the first to lose its processor to other processes, and would keep the GIL meanwhile.

    Args:
        registry: The registry.
        accept: The ``Accept`` header.
        names: The samples that are wanted; all of them if empty.
        gzipped: Whether the body is compressed.
    """
    format_ = chosen(accept)
    blocks = _blocks_with_pauses(_pieces(registry, format_, names))
    return Rendered(b"".join(_compressed(blocks) if gzipped else blocks), format_.content_type)


def _pieces(registry: CollectorRegistry, format_: Format, names: tuple[str, ...]) -> Iterator[bytes]:
    """The metrics of every collector that can give them, as text. Failures show in the next scrape."""
    wanted = set(names)
    for collector in _collectors(registry, wanted):
        try:
            yield from _text_of(collector, format_, wanted)
        except Exception:
            name = type(collector).__name__
            _log.exception("collector %s failed; this scrape lacks its metrics", name)
            store = store_in(registry)
            if store is not None:
                store.family(_FAILURES, Counter).labels(name).inc()
    yield format_.end


def _collectors(registry: CollectorRegistry, wanted: set[str]) -> list[Any]:
    known: list[tuple[Any, list[str]]] = list(collectors_of(registry).items())
    publisher = publisher_of(registry)
    if publisher is not None:
        known = publisher.of_all_processes(known)
    info = registry.get_target_info()
    if info:
        known.insert(0, (_target_info(info), ["target_info"]))
    # A collector that does not say its names may have any.
    return [collector for collector, names in known if not wanted or not names or wanted & set(names)]


def _text_of(collector: Collector, format_: Format, wanted: set[str]) -> Iterator[bytes]:
    if isinstance(collector, Family) and collector.has_quick_text(format_) and not wanted:
        for piece in collector.pieces(format_):
            yield piece.encode()
        return
    metrics = [_restricted(metric, wanted) if wanted else metric for metric in collector.collect()]
    yield format_.foreign(_Collected([metric for metric in metrics if metric.samples or not wanted]))


def _restricted(metric: Metric, wanted: set[str]) -> Metric:
    found = Metric(metric.name, metric.documentation, metric.type, metric.unit)
    found.samples = [sample for sample in metric.samples if sample.name in wanted]
    return found


class _Collected:
    """Metrics as prometheus-client's encoders take them."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _target_info(labels: dict[str, str]) -> _Collected:
    metric = Metric("target", "Target metadata", "info")
    metric.add_sample("target_info", labels, 1)
    return _Collected([metric])


def _compressed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()


def _blocks_with_pauses(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Small pieces put together, so that each block is worth a pause."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
            sleep(_PAUSE_SECONDS)
    yield b"".join(held)
