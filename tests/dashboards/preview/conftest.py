"""A real Prometheus that holds the example, and one that holds nothing."""

import pytest

from dashboards.preview.board import Board, Event, Panel, Place, Section, Target, Variable
from dashboards.preview.example import example
from dashboards.preview.server import prometheus
from dashboards.preview.source import Source


@pytest.fixture(scope="session")
def told():
    """The URL of a Prometheus with the example."""
    with example() as url:
        yield url


@pytest.fixture(scope="session")
def silent(tmp_path_factory):
    """The URL of a Prometheus without a single series."""
    with prometheus(tmp_path_factory.mktemp("silent")) as url:
        yield url


@pytest.fixture
def source(silent):
    with Source(silent) as found:
        yield found


def panel(kind="timeseries", *exprs, **more):
    """A panel that asks these expressions; `instant=True` for the end alone."""
    instant, form = more.pop("instant", False), more.pop("form", "time_series")
    targets = tuple(
        Target(letter, expr, more.pop("legend", ""), instant, form) for letter, expr in zip("ABC", exprs, strict=False)
    )
    return Panel(kind, more.pop("title", "A panel"), "What it says.", Place(0, 0, 12, 8), targets, **more)


def board(*panels, events=()):
    """A dashboard of these panels below one heading."""
    sections = (Section("Is it well?", closed=False, panels=panels),)
    return Board("uid", "Title", "Question?", 3600, (Variable("namespace", ".*"),), tuple(events), sections)


__all__ = ["Event", "board", "panel"]
