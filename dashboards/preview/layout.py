"""Where everything of a dashboard lies on a page: side by side on a wide screen, one below the other on a phone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dashboards.preview.board import COLUMNS, ROW_PIXELS, Panel, Section
from dashboards.preview.sheet import Box
from dashboards.preview.timing import Window, window

GAP: Final = 8
MARGIN: Final = 16
HEADING: Final = 34
# On a phone a panel is as wide as the page and never lower than this, in pixels; figures all have one height.
PHONE_HEIGHT: Final = 240
PHONE_FIGURE_HEIGHT: Final = 108
NARROW: Final = 700


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a certain width, in pixels."""

    name: str
    width: int

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def inner(self) -> float:
        return self.width - 2 * MARGIN


WIDE: Final = Page("wide", 1440)
PHONE: Final = Page("phone", 390)


def boxes(page: Page, section: Section, top: float) -> Iterator[tuple[Panel, Box]]:
    """Each panel of the section with its place, its frame included, when the section's panels begin at `top`."""
    for panel in section.panels:
        width, height = size(page, panel)
        if page.narrow:
            yield panel, Box(MARGIN, top, width, height)
            top += height + GAP
        else:
            left = MARGIN + panel.place.x * (page.inner + GAP) / COLUMNS
            yield panel, Box(left, top + panel.place.y * ROW_PIXELS, width, height)


def size(page: Page, panel: Panel) -> tuple[float, float]:
    """Width and height of a panel, its frame included."""
    tall = panel.place.height * ROW_PIXELS - GAP
    if not page.narrow:
        return panel.place.width * (page.inner + GAP) / COLUMNS - GAP, tall
    if panel.kind == "stat":
        return page.inner, PHONE_FIGURE_HEIGHT
    return page.inner, max(tall, PHONE_HEIGHT)


def points(page: Page, panel: Panel) -> int:
    """How many points a range query is asked for: the panel's own number, or one a pixel of its width."""
    return panel.points or int(size(page, panel)[0])


def queried(page: Page, panel: Panel, end: int, seconds: int) -> Window:
    """The window over which Grafana would query the panel on a page of this width."""
    return window(end, seconds, points(page, panel), panel.step)


def bottom(page: Page, section: Section, top: float) -> float:
    return max((box.bottom for _, box in boxes(page, section, top)), default=top)
