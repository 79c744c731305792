"""Colours by value."""

from dataclasses import dataclass
from typing import Final

from dashboards.sdk import dashboard, model

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
DARK_RED: Final = "dark-red"
BLUE: Final = "blue"
NEUTRAL: Final = "#808a96"
"""Of missing data: a grey that no threshold uses, because no data is neither good nor bad."""


@dataclass(frozen=True, slots=True)
class Bands:
    """`steps` are (from, colour) in rising order, `base` is the colour below them; graphs may draw them as lines."""

    base: str = GREEN
    steps: tuple[tuple[float, str], ...] = ()
    drawn: bool = False

    def build(self) -> dashboard.ThresholdsConfig:
        first = model.Threshold(value=None, color=self.base)
        rest = [model.Threshold(value=value, color=color) for value, color in self.steps]
        return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([first, *rest])


PLAIN: Final = Bands(base=BLUE)
"""For what is neither good nor bad."""


def above(warn: float, critical: float) -> Bands:
    """Green, yellow from `warn`, red from `critical`, drawn as lines."""
    return Bands(steps=((warn, YELLOW), (critical, RED)), drawn=True)


def above_target(target: float, warn: float, critical: float) -> Bands:
    """Green up to the target, yellow, orange from `warn`, red from `critical`, drawn as lines."""
    return Bands(steps=((target, YELLOW), (warn, ORANGE), (critical, RED)), drawn=True)


def below(critical: float, target: float) -> Bands:
    """Red, yellow from `critical`, green from `target`, drawn as lines."""
    return Bands(base=RED, steps=((critical, YELLOW), (target, GREEN)), drawn=True)


def below_target(critical: float, warn: float, target: float) -> Bands:
    """Red, orange from `critical`, yellow from `warn`, green from `target`, drawn as lines."""
    return Bands(base=RED, steps=((critical, ORANGE), (warn, YELLOW), (target, GREEN)), drawn=True)


def limit(critical: float) -> Bands:
    """Green, red from `critical`, drawn as a line."""
    return Bands(steps=((critical, RED),), drawn=True)


def warning(warn: float) -> Bands:
    """Green, yellow from `warn`, drawn as a line."""
    return Bands(steps=((warn, YELLOW),), drawn=True)


def any_at_all(color: str) -> Bands:
    """Green at 0, `color` above it. An increase over a window is extrapolated and seldom whole."""
    return Bands(steps=((0.001, color),))
