"""An example to draw when there is no Prometheus to ask: a working day with an incident in it, the same every time.

All that the application and its surroundings export is made up here, with a plausible story; what the chart's rules
record and alert is worked out from it by a real Prometheus, rule by rule.
"""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from dashboards.preview.example.application import tracks
from dashboards.preview.example.budget import month
from dashboards.preview.example.clock import END, TIMES
from dashboards.preview.example.recorded import alert, record
from dashboards.preview.example.story import RAMP_SECONDS, RECOVERY
from dashboards.preview.example.surroundings import surroundings
from dashboards.preview.example.tracks import Track
from dashboards.preview.openmetrics import Writer
from dashboards.preview.rules import layers, rules
from dashboards.preview.server import add_blocks, prometheus
from dashboards.preview.source import Source

__all__ = ["END", "STATES", "State", "example"]

GONE_SECONDS: Final = 20 * 60


@dataclass(frozen=True, slots=True)
class State:
    """When the dashboards are looked at, and until when the application exports; seconds since 1970."""

    end: int
    exports_until: float = math.inf


STATES: Final = {
    "healthy": State(END),
    "incident": State(RECOVERY - RAMP_SECONDS),
    "gone": State(END, END - GONE_SECONDS),
}


@contextmanager
def example(state: State = STATES["healthy"]) -> Iterator[str]:
    """The URL of a Prometheus that holds the example, which ends at `END`. It and its data go at the end."""
    with tempfile.TemporaryDirectory(prefix="sergas-preview-") as folder:
        fill(Path(folder), state)
        with prometheus(Path(folder)) as url:
            yield url


def samples(track: Track) -> Iterator[tuple[float, float]]:
    """(seconds since 1970, value) of the track."""
    return zip(TIMES.tolist(), track.values.tolist(), strict=True)


def fill(folder: Path, state: State) -> None:
    """Make the example's blocks in `folder`/data: what is exported, then records layer by layer, then alerts."""
    text = folder / "example.om"
    with Writer(text) as writer:
        for track in tracks():
            exported = takewhile(lambda one: one[0] <= state.exports_until, samples(track))
            writer.series(track.name, track.labels, exported)
        for track in surroundings():
            writer.series(track.name, track.labels, samples(track))
    add_blocks(text, folder)
    with Writer(text) as writer:
        for name, labels, recorded in month():
            writer.series(name, labels, recorded)
    add_blocks(text, folder)
    found = rules()
    for layer in layers(rule for rule in found if not rule.alert):
        with prometheus(folder) as url, Source(url) as source, Writer(text) as writer:
            for rule in layer:
                record(source, writer, rule)
        add_blocks(text, folder)
    with prometheus(folder) as url, Source(url) as source, Writer(text) as writer:
        for rule in found:
            if rule.alert:
                alert(source, writer, rule)
    add_blocks(text, folder)
