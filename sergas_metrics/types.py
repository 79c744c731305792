"""Types of what the library hands out, for annotations. Nothing here is made by calling it."""

from ._endpoint import MetricsServer
from ._families import Counter, Gauge, Histogram
from ._measure import Measurement
from ._render import Rendered

__all__ = ["Counter", "Gauge", "Histogram", "Measurement", "MetricsServer", "Rendered"]
