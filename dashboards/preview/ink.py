"""Colours: of the paper, in light and dark; of series; and those that Grafana's names stand for."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours that differ between a light and a dark page."""

    text: str
    muted: str
    grid: str
    paper: str
    page: str


LIGHT: Final = Ink(text="#24292f", muted="#6b7280", grid="#e4e7eb", paper="#ffffff", page="#f4f5f7")
DARK: Final = Ink(text="#dfe3e8", muted="#9099a6", grid="#30353d", paper="#1b1e23", page="#111317")
# Written into SVG, where the page's style sheet puts its variable in place of each.
MARKED: Final = Ink(text="#010001", muted="#010002", grid="#010003", paper="#010004", page="#010005")

SERIES: Final = (
    "#3b82c4",
    "#e0873e",
    "#4ba36a",
    "#b65fa8",
    "#c9a227",
    "#2fa3a3",
    "#d1605e",
    "#7a6bc9",
    "#8a9a3b",
    "#6d8299",
    "#c97fa0",
    "#4f6bd0",
)

_NAMED: Final = {
    "green": "#3f9c5c",
    "yellow": "#e3b52f",
    "orange": "#e8833a",
    "red": "#d64550",
    "blue": "#3b82c4",
    "purple": "#8b63c9",
    "text": "#6b7280",
    "gray": "#8a929d",
    "grey": "#8a929d",
}
_SHADES: Final = ("super-light-", "light-", "semi-dark-", "dark-")


def color(name: str) -> str:
    """What a colour of Grafana's is here: a name, a shade of one, or a value such as #aabbcc. Others are grey."""
    if name.startswith("#"):
        return name
    for shade in _SHADES:
        name = name.removeprefix(shade)
    return _NAMED.get(name, _NAMED["grey"])


def series_color(index: int) -> str:
    return SERIES[index % len(SERIES)]


DARK_FROM: Final = 150
"""Brightness, of 255, from which dark letters are easier to read than white ones."""


def readable_on(ground: str) -> str:
    """Black or white, whichever is easier to read on this colour."""
    red, green, blue = (int(ground[at : at + 2], 16) for at in (1, 3, 5))
    return "#16181c" if 0.299 * red + 0.587 * green + 0.114 * blue > DARK_FROM else "#ffffff"
