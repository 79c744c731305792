"""A registry's metrics as bytes, byte for byte as prometheus-client writes them."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from math import inf
from time import sleep
from typing import Any, Final, NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from ._collector import MetricsCollector
from ._families import Collected, Counter, Histogram
from ._family import Family, Series
from ._private import collectors_of
from ._store import publisher_of, store_in

_log = logging.getLogger("sergas_metrics")

_FAILURES: Final = "sergas_metrics_collector_failures_total"
_PLAIN_BELOW: Final = 1e6  # from here on Go, and so Prometheus, writes a number with an exponent
_PIECE_LINES: Final = 500  # written in one go, about 0.1 ms: between two pieces other threads get their turn
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
    format_ = _format(accept)
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
    format_ = _format(accept)
    blocks = _blocks_with_pauses(_pieces(registry, format_, names))
    return Rendered(b"".join(_compressed(blocks) if gzipped else blocks), format_.content_type)


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


class _Format(NamedTuple):
    """A text format of Prometheus.

    Attributes:
        encode: prometheus-client's encoder for it, for metrics that are not the library's own.
        content_type: How it is called in HTTP.
    """

    encode: Callable[[Any], bytes]
    content_type: str

    @property
    def openmetrics(self) -> bool:
        """Whether it is OpenMetrics, which ends with a mark and may carry exemplars."""
        return self.content_type.startswith("application/openmetrics-text")

    @property
    def end(self) -> bytes:
        """What follows the last metric."""
        return b"# EOF\n" if self.openmetrics else b""

    def takes(self, family: Family[Any]) -> bool:
        """Whether this module writes a family: other names and exemplars are left to prometheus-client."""
        keeps_names = self.content_type.partition("escaping=")[2] in ("", "underscores", "allow-utf-8")
        return keeps_names and not (self.openmetrics and family.note is not None)


def _format(accept: str) -> _Format:
    """The format that an ``Accept`` header asks for, as prometheus-client reads it."""
    try:
        return _Format(*choose_encoder(accept))
    except (TypeError, ValueError):
        # prometheus-client fails at a version that is no number: answer what every Prometheus reads.
        return _Format(*choose_encoder(""))


def _pieces(registry: CollectorRegistry, format_: _Format, names: tuple[str, ...]) -> Iterator[bytes]:
    """The metrics of every collector that can give them, as text. Failures show in the next scrape."""
    wanted = set(names)
    for collector in _collectors(registry, wanted):
        try:
            if isinstance(collector, Family) and format_.takes(collector) and not wanted:
                yield from _family_pieces(collector, format_)
            else:
                yield _foreign_text(collector, format_, wanted)
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
        metric = Metric("target", "Target metadata", "info")
        metric.add_sample("target_info", info, 1)
        known.insert(0, (Collected([metric]), ["target_info"]))
    # A collector that does not say its names may have any.
    return [collector for collector, names in known if not wanted or not names or wanted & set(names)]


def _foreign_text(collector: Collector, format_: _Format, wanted: set[str]) -> bytes:
    """The metrics of any collector, or those of their samples that are wanted, as prometheus-client writes them."""
    metrics = list(collector.collect())
    if wanted:
        metrics = [found for found in (_restricted(metric, wanted) for metric in metrics) if found.samples]
    return format_.encode(Collected(metrics)).removesuffix(format_.end)


def _restricted(metric: Metric, wanted: set[str]) -> Metric:
    found = Metric(metric.name, metric.documentation, metric.type, metric.unit)
    found.samples = [sample for sample in metric.samples if sample.name in wanted]
    return found


def _family_pieces(family: Family[Any], format_: _Format) -> Iterator[bytes]:
    """The text that prometheus-client makes of a family's ``collect``, piece by piece."""
    yield _head(family, format_).encode()
    series = family.series()
    step = max(1, _PIECE_LINES // (len(family.spec.buckets) + 3))
    for start in range(0, len(series), step):
        part = series[start : start + step]
        yield (_histograms(family, part) if isinstance(family, Histogram) else _numbers(family, part)).encode()


def _head(family: Family[Any], format_: _Format) -> str:
    """The lines above a metric's samples."""
    spec, unit = family.spec, family.shown_unit
    if not format_.openmetrics:
        text = spec.help.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {spec.name} {text}\n# TYPE {spec.name} {spec.kind}\n"
    name = family.family_name
    lines = f"# HELP {name} {_escaped(spec.help)}\n# TYPE {name} {spec.kind}\n"
    return f"{lines}# UNIT {name} {unit}\n" if unit else lines


def _numbers(family: Family[Any], series: Series[Any]) -> str:
    """The lines of counters and gauges."""
    return "".join(
        [
            f"{text}{value!r}\n"
            if (text := cell.text) and -inf < (value := cell.value) < _PLAIN_BELOW
            else _number_line(family, values, cell)
            for values, cell in series
        ]
    )


def _number_line(family: Family[Any], values: tuple[str, ...], cell: Any) -> str:
    if not cell.text:
        cell.text = f"{family.spec.name}{_labels(family.named(values))} "
    return f"{cell.text}{_number(cell.value)}\n"


def _number(value: float) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


def _histograms(family: Histogram, series: Series[Any]) -> str:
    """The lines of histograms, whose ``text`` is their labels in front of ``le``, behind it, and all without it."""
    write = _histogram_writer(family.spec.name, family.bounds, has_sum=family.has_sum)
    parts: list[str] = []
    for values, cell in series:
        if cell.text is None:
            cell.text = _histogram_labels(family.named(values))
        total = cell.total
        text = repr(total) if -inf < total < _PLAIN_BELOW else _number(total)
        parts.append(write(*cell.text, text, *accumulate(cell.counts)))
    return "".join(parts)


def _histogram_labels(labels: Mapping[str, str]) -> tuple[str, str, str]:
    before = _pairs({label: value for label, value in labels.items() if label < "le"})
    after = _pairs({label: value for label, value in labels.items() if label > "le"})
    return (f"{before}," if before else ""), (f",{after}}} " if after else "} "), f"{_labels(labels)} "


@cache
def _histogram_writer(name: str, bounds: tuple[str, ...], *, has_sum: bool) -> Callable[..., str]:
    """A function that writes one histogram: its labels as three texts, the sum's text, and the count of each bucket.

    What all series of a metric share is written out in it: that is four times as fast as a template or a loop.
    """
    name = name.replace("{", "{{").replace("}", "}}")  # that of another process may be any
    counts = [f"c{number}" for number in range(len(bounds))]
    lines = [
        f'{name}_bucket{{{{{{before}}le="{bound}"{{after}}{{text[{count}]}}\n'
        for bound, count in zip(bounds, counts, strict=True)
    ]
    lines.append(f"{name}_count{{whole}}{{text[{counts[-1]}]}}\n")
    if has_sum:
        lines.append(f"{name}_sum{{whole}}{{total}}\n")
    source = f"lambda before, after, whole, total, {', '.join(counts)}: f{''.join(lines)!r}"
    write: Callable[..., str] = eval(source, {"text": _COUNTS})  # noqa: S307  # a literal, with the braces of the name doubled
    return write


class _Counts(dict[int, str]):
    """Counts as text. Taking a small one from here is three times as fast as making it."""

    def __missing__(self, count: int) -> str:
        return _number(count)


_COUNTS: Final = _Counts({count: f"{count}.0" for count in range(1024)})


def _labels(labels: Mapping[str, str]) -> str:
    return f"{{{_pairs(labels)}}}" if labels else ""


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f'{label}="{_escaped(value)}"' for label, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
