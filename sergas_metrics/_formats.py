"""Which format a client asks for, and a metric's head in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from prometheus_client.exposition import choose_encoder

from ._lines import escaped
from .catalogue import MetricSpec

_EOF: Final = b"# EOF\n"


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
