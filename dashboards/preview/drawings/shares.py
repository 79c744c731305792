"""Shares of a whole."""

from matplotlib.patches import Wedge

from dashboards.preview.answers import Answer
from dashboards.preview.drawings.legend import LINE, Entry, legend
from dashboards.preview.looks import line_color, value_text
from dashboards.preview.sheet import Box, Sheet
from dashboards.preview.units import written


def pie(sheet: Sheet, box: Box, answer: Answer) -> None:
    """A ring or disc with its legend to the right; what is less than nothing has no share."""
    lines = [line for line in answer.lines if (line.last or 0) > 0]
    whole = sum(line.last or 0 for line in lines)
    left, rest = box.cut_left(min(box.height, box.width * 0.45))
    axes = sheet.axes(left)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[], yticks=[], aspect="equal")
    ring = answer.panel.options.get("pieType") == "donut"
    start, entries = 90.0, list[Entry]()
    for index, line in enumerate(lines):
        ink, share = line_color(answer.panel, line, index), (line.last or 0) / whole
        end = start - 360 * share
        slice_ = Wedge((0, 0), 0.92, end, start, width=0.42 if ring else None, facecolor=ink, edgecolor=sheet.ink.paper)
        axes.add_patch(slice_)
        entries.append(Entry(ink, line.name, (value_text(answer.panel, line.last), written(share, "percentunit", 0))))
        start = end
    tall = LINE * (len(entries) + 1)
    top = rest.top + max((rest.height - tall) / 2, 0)
    legend(sheet, Box(rest.left + 12, top, rest.width - 12, min(tall, rest.height)), ["Value", "Share"], entries)
