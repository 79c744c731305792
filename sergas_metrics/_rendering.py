"""A registry's metrics as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from time import sleep
from typing import Final, NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry

from ._collector import MetricsCollector
from ._formats import chosen
from ._guard import GuardedRegistry
from ._page import Page

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


def render(source: MetricsCollector | CollectorRegistry | None = None, *, accept: str = "") -> Rendered:
    """All metrics of a registry, whatever their origin, as Prometheus reads them.

    The text is that of prometheus-client's ``generate_latest``, save that a collector that raises costs its own
    metrics and nothing else.

    Args:
        source: A collector or a registry; the default registry when left out.
        accept: What an ``Accept`` header would say, such as ``application/openmetrics-text; version=1.0.0``; the text
            format 0.0.4 when left out.
    """
    format_ = chosen(accept)
    pieces = GuardedRegistry(registry_of(source)).pieces(format_)
    return Rendered(b"".join(pieces), format_.content_type)


def registry_of(source: MetricsCollector | CollectorRegistry | None) -> CollectorRegistry:
    """The registry behind what a caller gave."""
    if source is None:
        return REGISTRY
    return source if isinstance(source, CollectorRegistry) else source.registry


def render_page(registry: GuardedRegistry, page: Page) -> Rendered:
    """What a scrape asks for, rendered so that other threads, an event loop's above all, run in between.

    A thread that computes gives way after 5 ms and no sooner, unless it waits for something. One that never waits is
    also the first to lose its processor to other processes, and would keep the GIL meanwhile.
    """
    format_ = chosen(page.accept)
    pieces = (registry.restricted_registry(page.names) if page.names else registry).pieces(format_)
    blocks = _blocks_with_pauses(pieces)
    return Rendered(b"".join(_compressed(blocks) if page.gzipped else blocks), format_.content_type)


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
