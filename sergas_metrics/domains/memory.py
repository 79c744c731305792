"""Documents processed into memory, and the knowledge graph."""

from __future__ import annotations

from time import time

from .._families import Counter, Gauge, Histogram
from .._measure import Measurement
from .._store import Store


class MemoryMetrics:
    """Metrics of memory and of the knowledge graph.

    Attributes:
        processing_duration: ``sergas_memory_processing_duration_seconds{operation}``.
        documents_processed: ``sergas_memory_documents_processed_total{status}``.
        last_success: ``sergas_memory_last_success_timestamp_seconds{operation}``.
        graph_nodes: ``sergas_memory_graph_nodes_total``, a gauge.
        graph_relationships: ``sergas_memory_graph_relationships_total``, a gauge.
    """

    def __init__(self, store: Store) -> None:
        self.processing_duration = store.family("sergas_memory_processing_duration_seconds", Histogram)
        self._processing = self.processing_duration.cells
        self.documents_processed = store.family("sergas_memory_documents_processed_total", Counter)
        self.last_success = store.family("sergas_memory_last_success_timestamp_seconds", Gauge)
        self.graph_nodes = store.family("sergas_memory_graph_nodes_total", Gauge)
        self.graph_relationships = store.family("sergas_memory_graph_relationships_total", Gauge)

    def processing(self, operation: str) -> Measurement[None]:
        """Time an operation, also when it raises; if it does not, note that it succeeded now.

        Args:
            operation: What is done, such as ``ingest`` or ``link``: a name from a fixed set.
        """

        def end(_: None, error: BaseException | None, seconds: float) -> None:
            self.record_processing(operation, seconds)
            if error is None:
                self.record_success(operation)

        return Measurement("memory.processing", end)

    def record_processing(self, operation: str, seconds: float) -> None:
        """Observe how long an operation such as ``ingest`` or ``link`` took, in seconds."""
        try:  # a quarter faster than labels()
            self._processing[operation].observe(seconds)
        except KeyError:
            self.processing_duration.labels(operation).observe(seconds)

    def record_success(self, operation: str) -> None:
        """Note that an operation succeeded now, so that an alert can tell when it last did."""
        self.last_success.labels(operation).set(time())

    def record_documents(self, count: int = 1, status: str = "success") -> None:
        """Count processed documents by outcome, ``success`` or ``failure``."""
        self.documents_processed.labels(status).inc(count)

    def set_graph_size(self, nodes: int, relationships: int) -> None:
        """Set how many nodes and relationships the knowledge graph has."""
        self.graph_nodes.set(nodes)
        self.graph_relationships.set(relationships)
