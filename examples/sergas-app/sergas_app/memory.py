"""Memory: documents become nodes and relationships of a knowledge graph that is simulated."""

from __future__ import annotations

import asyncio
import random

from sergas_metrics import MetricsCollector

from .faults import FaultSwitches
from .mishaps import Mishaps

NODES = 3
RELATIONSHIPS = 6


class UnreadableDocumentError(Exception):
    """A document holds nothing that can be read."""


class GraphUnavailableError(Exception):
    """The graph database takes nothing; raised by the fault ``memory_fails``."""


class Memory:
    """Takes documents in, every step of it recorded."""

    def __init__(self, metrics: MetricsCollector, faults: FaultSwitches, mishaps: Mishaps) -> None:
        self._metrics = metrics.memory
        self._faults = faults
        self._mishaps = mishaps
        self._documents = 0

    async def remember(self) -> None:
        """Process one document.

        Raises:
            UnreadableDocumentError: There was nothing in it to read.
            GraphUnavailableError: The fault ``memory_fails`` is on.
        """
        try:
            with self._metrics.processing("ingest"):
                await self._ingest()
            with self._metrics.processing("link"):
                await asyncio.sleep(random.uniform(0.01, 0.03))
        except Exception:
            self._metrics.record_documents(status="failure")
            raise
        self._documents += 1
        self._metrics.record_documents()
        self._metrics.set_graph_size(self._documents * NODES, self._documents * RELATIONSHIPS)

    async def _ingest(self) -> None:
        await asyncio.sleep(random.uniform(0.02, 0.06))
        if self._faults.current.memory_fails:
            raise GraphUnavailableError("simulated: the fault memory_fails is on")
        if self._mishaps.happen():
            raise UnreadableDocumentError("simulated: the document holds no text")
