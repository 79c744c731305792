"""Documents processed into memory, and the knowledge graph."""

from __future__ import annotations

from .._store import Store


class MemoryMetrics:
    """Metrics of memory and of the knowledge graph.

    Attributes:
        processing_duration: ``sergas_memory_processing_duration_seconds{operation}``.
        documents_processed: ``sergas_memory_documents_processed_total{status}``.
        graph_nodes: ``sergas_memory_graph_nodes_total``, a gauge.
        graph_relationships: ``sergas_memory_graph_relationships_total``, a gauge.
    """

    def __init__(self, store: Store) -> None:
        self.processing_duration = store.histograms["sergas_memory_processing_duration_seconds"]
        self.documents_processed = store.counters["sergas_memory_documents_processed_total"]
        self.graph_nodes = store.gauges["sergas_memory_graph_nodes_total"]
        self.graph_relationships = store.gauges["sergas_memory_graph_relationships_total"]

    def record_processing(self, operation: str, seconds: float) -> None:
        """Observe how long an operation such as ``ingest`` or ``link`` took, in seconds."""
        self.processing_duration.cells[operation].observe(seconds)

    def record_documents(self, count: int = 1, status: str = "success") -> None:
        """Count processed documents by outcome, ``success`` or ``failure``."""
        self.documents_processed.cells[status].inc(count)

    def set_graph_size(self, nodes: int, relationships: int) -> None:
        """Set how many nodes and relationships the knowledge graph has."""
        self.graph_nodes.set(nodes)
        self.graph_relationships.set(relationships)
