"""A sheet of pixels counted from the top left, on which panels are drawn. The one import of matplotlib's figures."""

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import matplotlib as mpl

mpl.use("agg")

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import FancyBboxPatch, Rectangle

from dashboards.preview.ink import MARKED, Ink

# A point is a pixel, so that sizes of text and of everything else are told in the same unit.
DPI: Final = 72
FONT: Final = "DejaVu Sans"
ELLIPSIS: Final = "…"

mpl.rc("font", family=FONT)
mpl.rc("text", parse_math=False)
# Text stays text, and ids do not change from one drawing to the next.
mpl.rc("svg", fonttype="none", hashsalt="sergas")
mpl.rc("path", simplify=True, simplify_threshold=0.5)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, from the sheet's top left."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2

    def inner(self, margin: float) -> "Box":
        return Box(self.left + margin, self.top + margin, self.width - 2 * margin, self.height - 2 * margin)

    def cut_top(self, height: float) -> tuple["Box", "Box"]:
        """The uppermost `height` pixels, and the rest."""
        height = min(height, self.height)
        rest = Box(self.left, self.top + height, self.width, self.height - height)
        return Box(self.left, self.top, self.width, height), rest

    def cut_left(self, width: float) -> tuple["Box", "Box"]:
        """The leftmost `width` pixels, and the rest."""
        width = min(width, self.width)
        rest = Box(self.left + width, self.top, self.width - width, self.height)
        return Box(self.left, self.top, width, self.height), rest


class Sheet:
    """What is drawn on. Colours come from `ink`."""

    def __init__(self, width: float, height: float, ink: Ink, background: str | None = None) -> None:
        self.width, self.height, self.ink = width, height, ink
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        FigureCanvasAgg(self.figure)
        self.figure.patch.set_visible(background is not None)
        if background:
            self.figure.patch.set_facecolor(background)

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def axes(self, box: Box) -> Axes:
        """Axes that fill `box`, without frame or ground."""
        place = (box.left / self.width, 1 - box.bottom / self.height, box.width / self.width, box.height / self.height)
        axes = self.figure.add_axes(place)
        axes.patch.set_visible(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def text(
        self, x: float, y: float, words: str, size: float, color: str = "", *, bold: bool = False, align: str = "left"
    ) -> None:
        """Words on one line whose middle is at height `y`. `align` is left, center or right of `x`."""
        self.figure.text(
            x / self.width,
            1 - y / self.height,
            words,
            fontsize=size,
            fontweight="bold" if bold else "normal",
            color=color or self.ink.text,
            ha=align,
            va="center_baseline",
        )

    def block(self, box: Box, color: str, *, radius: float = 0, edge: str = "none") -> None:
        """A filled rectangle, with round corners where asked."""
        x, y = box.left / self.width, 1 - box.bottom / self.height
        width, height = box.width / self.width, box.height / self.height
        if not radius:
            shape: Rectangle | FancyBboxPatch = Rectangle((x, y), width, height)
        else:
            rounding = radius / self.width
            shape = FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={rounding}",
                mutation_aspect=self.width / self.height,
            )
        shape.set(facecolor=color, edgecolor=edge, linewidth=0 if edge == "none" else 1)
        shape.set_transform(self.figure.transFigure)
        shape.set_zorder(-1)  # below axes, which lie on the frame of their panel
        self.figure.add_artist(shape)

    def svg(self, name: str) -> str:
        """As an SVG element whose text is text, with the style sheet's variables for the colours of MARKED.

        `name` begins every id in it, so that several can stand in one page: one that is hidden clips nothing.
        """
        target = io.StringIO()
        self.figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        element = re.sub(r"^.*?(?=<svg)", "", target.getvalue(), flags=re.DOTALL)
        element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
        for part in ("text", "muted", "grid", "paper", "page"):
            element = element.replace(getattr(MARKED, part), f"var(--{part})")
        return re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{name}-", element)

    def png(self) -> bytes:
        target = io.BytesIO()
        self.figure.savefig(target, format="png", dpi=DPI, metadata={"Software": None})
        return target.getvalue()


@cache
def width(words: str, size: float, *, bold: bool = False) -> float:
    """How many pixels these words take."""
    font = get_font(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")))
    font.set_size(size, DPI)
    font.set_text(words, 0.0)
    return float(font.get_width_height()[0]) / 64


def fitted(words: str, size: float, room: float, *, bold: bool = False) -> str:
    """`words`, cut off with an ellipsis where they take more than `room` pixels."""
    if width(words, size, bold=bold) <= room:
        return words
    while words and width(words + ELLIPSIS, size, bold=bold) > room:
        words = words[:-1]
    return words.rstrip() + ELLIPSIS


def divided(words: str, size: float, room: float) -> list[str]:
    """One name in lines of at most `room` pixels, broken after _ - / : and before capitals, or where it must be."""
    lines = [""]
    for part in re.findall(r"[A-Z]*[^A-Z_/:-]+[_/:-]?|.", words):
        if lines[-1] and width(lines[-1] + part, size) > room:
            lines.append("")
        for piece in [part] if width(part, size) <= room else part:
            if lines[-1] and width(lines[-1] + piece, size) > room:
                lines.append("")
            lines[-1] += piece
    return lines


def wrapped(words: str, size: float, room: float) -> list[str]:
    """`words` in lines of at most `room` pixels, broken between words, and within one that is too long."""
    lines = [""]
    for word in re.findall(r"\S+\s*|\n", words):
        if width((lines[-1] + word).rstrip(), size) > room and lines[-1]:
            lines.append("")
        lines[-1] += word if width(word.rstrip(), size) <= room else fitted(word.rstrip(), size, room)
        if "\n" in word:
            lines.append("")
    return [line.rstrip() for line in lines if line.strip()]
