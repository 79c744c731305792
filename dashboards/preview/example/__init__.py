"""An example to draw when there is no Prometheus to ask: a working day with an incident in it, the same every time.

All that the application and its surroundings export is made up here, with a plausible story; what the chart's rules
record and alert is worked out from it by a real Prometheus, rule by rule.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from dashboards.preview.example.application import tracks
from dashboards.preview.example.budget import month
from dashboards.preview.example.clock import END, TIMES
from dashboards.preview.example.recorded import alert, record
from dashboards.preview.example.surroundings import surroundings
from dashboards.preview.openmetrics import Writer
from dashboards.preview.rules import layers, rules
from dashboards.preview.server import add_blocks, prometheus
from dashboards.preview.source import Source

__all__ = ["END", "example"]


@contextmanager
def example() -> Iterator[str]:
    """The URL of a Prometheus that holds the example, which ends at `END`. It and its data go at the end."""
    with tempfile.TemporaryDirectory(prefix="sergas-preview-") as folder:
        fill(Path(folder))
        with prometheus(Path(folder)) as url:
            yield url


def fill(folder: Path) -> None:
    """Make the example's blocks in `folder`/data: what is exported, then records layer by layer, then alerts."""
    text = folder / "example.om"
    with Writer(text) as writer:
        for track in chain(tracks(), surroundings()):
            writer.series(track.name, track.labels, zip(TIMES.tolist(), track.values.tolist(), strict=True))
    add_blocks(text, folder)
    with Writer(text) as writer:
        for name, labels, samples in month():
            writer.series(name, labels, samples)
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
