"""What each part of the application records, in words of that part."""

from .agent import AgentMetrics
from .business import BusinessMetrics
from .cache import CacheMetrics
from .database import DatabaseMetrics
from .errors import ErrorMetrics
from .http import HTTPMetrics
from .memory import MemoryMetrics
from .zoho import ZohoMetrics

__all__ = [
    "AgentMetrics",
    "BusinessMetrics",
    "CacheMetrics",
    "DatabaseMetrics",
    "ErrorMetrics",
    "HTTPMetrics",
    "MemoryMetrics",
    "ZohoMetrics",
]
