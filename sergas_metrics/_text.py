"""The text formats of Prometheus, byte for byte as prometheus-client writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import accumulate, groupby
from math import inf, isnan
from typing import Any, Final, NamedTuple

from prometheus_client.exposition import choose_encoder

from .catalogue import MetricSpec

_EOF: Final = b"# EOF\n"

HistogramLabels = tuple[str, str, str]
HistogramWriter = Callable[[HistogramLabels, list[int], str], tuple[str, ...]]

PLAIN_BELOW: Final = 1e6
"""From here on Go, and so Prometheus, writes a number with an exponent."""


def number(value: float) -> str:
    """A sample's value."""
    if -inf < value < PLAIN_BELOW:
        return repr(float(value))  # also of a number that is not Python's own, as numpy's
    return _unusual(float(value))


def _unusual(value: float) -> str:
    if isnan(value):
        return "NaN"
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    digits, point, rest = repr(value).partition(".")
    if not point:
        return digits  # Python writes an exponent itself
    if "e" in rest:
        return digits + point + rest
    # One digit before the point and no zeros at the end: also none of a mantissa that is nothing but its first digit.
    mantissa = f"{digits[0]}.{digits[1:]}{rest}".rstrip("0.")
    return f"{mantissa}e+{len(digits) - 1:02d}"


def escaped(value: str) -> str:
    """A label value between its quotation marks."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def series_head(name: str, labels: Mapping[str, str]) -> str:
    """What stands before the value: the name, the labels in order of their names, and a space."""
    if not labels:
        return f"{name} "
    inside = ",".join(f'{label}="{escaped(value)}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}} "


def histogram_labels(labels: Mapping[str, str]) -> HistogramLabels:
    """A histogram's labels as its lines need them: in front of ``le``, behind it, and all of them without it."""
    pairs = sorted(labels.items())
    before = "".join(f'{label}="{escaped(value)}",' for label, value in pairs if label < _LE)
    after = "".join(f',{label}="{escaped(value)}"' for label, value in pairs if label > _LE)
    return before, f"{after}}} ", series_head("", labels)


@cache
def histogram_writer(
    name: str, labels: tuple[str, ...], bounds: tuple[str, ...], *, with_sum: bool, quick: bool
) -> HistogramWriter:
    """A function that writes the lines of one histogram, in parts.

    What all series of a metric share is written out in it: that is quicker than any loop, and of each series only the
    labels need be kept.

    Args:
        name: The metric's name.
        labels: The names of its labels.
        bounds: Its bounds as text, ``+Inf`` included.
        with_sum: Whether it has a sum.
        quick: Whether the counts are below 1024, whose text is kept. The function raises ``IndexError`` if one is not.
    """
    counts = [f"c{number}" for number in range(len(bounds))]
    text = "small[{}]" if quick else "number({})"
    before = "before" if any(label < _LE for label in labels) else _Literal()
    after = "after" if any(label > _LE for label in labels) else _Literal("} ")
    parts: list[str] = []
    for bound, count in zip(bounds, counts, strict=True):
        le = _Literal(f'le="{bound}"')
        parts += [_Literal(f"{name}_bucket{{"), before, le, after, text.format(count), _Literal("\n")]
    parts += [_Literal(f"{name}_count"), "whole", text.format(counts[-1]), _Literal("\n")]
    if with_sum:
        parts += [_Literal(f"{name}_sum"), "whole", "total", _Literal("\n")]
    return _compiled(counts, parts)


class _Literal(str):
    """Text as it stands, where other text is code."""

    __slots__ = ()


def _compiled(counts: list[str], parts: list[str]) -> HistogramWriter:
    items: list[str] = []
    for literal, found in groupby(parts, key=lambda part: isinstance(part, _Literal)):
        group = list(found)
        items += [repr("".join(group))] if literal else group
    source = (
        "def write(labels, counts, total):\n"
        " before, after, whole = labels\n"
        f" {', '.join(counts)}, = accumulate(counts)\n"
        f" return ({', '.join(items)},)\n"
    )
    space: dict[str, Any] = {"small": _SMALL, "number": number, "accumulate": accumulate}
    exec(source, space)  # noqa: S102  # whatever is not the library's own stands in it as a literal
    write: HistogramWriter = space["write"]
    return write


_LE: Final = "le"
_SMALL: Final = [f"{count}.0" for count in range(1024)]
"""Counts as text: taking one from here is three times as fast as making it."""


class Format(NamedTuple):
    """A text format of Prometheus.

    Attributes:
        content_type: How it is called in HTTP.
        encode: prometheus-client's encoder for it, for metrics that are not the library's own.
        openmetrics: Whether it is OpenMetrics, which ends with a mark and may carry exemplars.
        keeps_names: Whether names such as the library's are written as they are.
    """

    content_type: str
    encode: Callable[[Any], bytes]
    openmetrics: bool
    keeps_names: bool

    @property
    def end(self) -> bytes:
        """What follows the last metric."""
        return _EOF if self.openmetrics else b""

    def foreign(self, collected: Any) -> bytes:
        """Metrics as prometheus-client writes them, without the end."""
        return self.encode(collected).removesuffix(self.end)

    def head(self, spec: MetricSpec) -> str:
        """The lines above a metric's samples."""
        text = escaped(spec.help) if self.openmetrics else spec.help.replace("\\", r"\\").replace("\n", r"\n")
        name = family_name(spec) if self.openmetrics else spec.name
        unit = f"# UNIT {name} {shown_unit(spec)}\n" if self.openmetrics and shown_unit(spec) else ""
        return f"# HELP {name} {text}\n# TYPE {name} {spec.kind}\n{unit}"


def family_name(spec: MetricSpec) -> str:
    """The name of the metric itself, which in OpenMetrics lacks a counter's suffix."""
    return spec.name.removesuffix("_total") if spec.kind == "counter" else spec.name


def shown_unit(spec: MetricSpec) -> str:
    """The unit, where the name ends with it as OpenMetrics demands."""
    return spec.unit if spec.unit and family_name(spec).endswith(f"_{spec.unit}") else ""


def chosen(accept: str) -> Format:
    """The format that an ``Accept`` header asks for, as prometheus-client reads it."""
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):
        # prometheus-client trips over a version that is no number: answer what every Prometheus reads.
        encode, content_type = choose_encoder("")
    scheme = content_type.partition("escaping=")[2]
    return Format(
        content_type,
        encode,
        content_type.startswith("application/openmetrics-text"),
        scheme in ("", "underscores", "allow-utf-8"),
    )
