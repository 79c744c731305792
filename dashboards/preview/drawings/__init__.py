"""Draws what a panel was answered, by its kind. To add a kind, write a function beside these and name it in `KINDS`."""

from collections.abc import Callable
from typing import Final

from dashboards.preview.answers import Answer
from dashboards.preview.drawings.figures import bars, dials, numbers
from dashboards.preview.drawings.graph import graph
from dashboards.preview.drawings.shares import pie
from dashboards.preview.drawings.spread import spread
from dashboards.preview.drawings.table import table
from dashboards.preview.drawings.words import failed, nothing, words
from dashboards.preview.sheet import Box, Sheet

KINDS: Final[dict[str, Callable[[Sheet, Box, Answer], None]]] = {
    "stat": numbers,
    "gauge": dials,
    "bargauge": bars,
    "timeseries": graph,
    "piechart": pie,
    "table": table,
    "heatmap": spread,
    "text": words,
}

# Grafana draws these with a null where there is no data.
NULL_DRAWN: Final = frozenset({"stat", "gauge"})


def draw(sheet: Sheet, box: Box, answer: Answer) -> None:
    """Draw the answer into `box`: what failed, that there is nothing, or the panel's own picture.

    Raises:
        ValueError: for a kind of panel that cannot be drawn, with what to do.
    """
    if answer.panel.kind not in KINDS:
        kind, known = answer.panel.kind, ", ".join(KINDS)
        raise ValueError(
            f"panel {answer.panel.title!r} is a {kind}: draw it in dashboards/preview/drawings, beside {known}"
        )
    if answer.error:
        failed(sheet, box, answer)
    elif answer.empty and answer.panel.kind not in NULL_DRAWN:
        nothing(sheet, box, answer)
    else:
        KINDS[answer.panel.kind](sheet, box, answer)
