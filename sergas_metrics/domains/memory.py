"""Documents processed into memory, and the knowledge graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, time

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
        self.processing_duration = store.histograms["sergas_memory_processing_duration_seconds"]
        self.documents_processed = store.counters["sergas_memory_documents_processed_total"]
        self.last_success = store.gauges["sergas_memory_last_success_timestamp_seconds"]
        self.graph_nodes = store.gauges["sergas_memory_graph_nodes_total"]
        self.graph_relationships = store.gauges["sergas_memory_graph_relationships_total"]

    @contextmanager
    def processing(self, operation: str) -> Iterator[None]:
        """Time an operation, also when it raises; if it does not, note that it succeeded now.

        Args:
            operation: What is done, such as ``ingest`` or ``link``: a name from a fixed set.
        """
        start = perf_counter()
        try:
            yield
        finally:
            self.record_processing(operation, perf_counter() - start)
        self.record_success(operation)

    def record_processing(self, operation: str, seconds: float) -> None:
        """Observe how long an operation such as ``ingest`` or ``link`` took, in seconds."""
        self.processing_duration.cells[operation].observe(seconds)

    def record_success(self, operation: str) -> None:
        """Note that an operation succeeded now, so that an alert can tell when it last did."""
        self.last_success.cells[operation].set(time())

    def record_documents(self, count: int = 1, status: str = "success") -> None:
        """Count processed documents by outcome, ``success`` or ``failure``."""
        self.documents_processed.cells[status].inc(count)

    def set_graph_size(self, nodes: int, relationships: int) -> None:
        """Set how many nodes and relationships the knowledge graph has."""
        self.graph_nodes.set(nodes)
        self.graph_relationships.set(relationships)
