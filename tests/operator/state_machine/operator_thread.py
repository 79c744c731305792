"""The whole operator in a thread of the test, which can be restarted in a fraction of a second."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from sergas_operator.controller import handlers
from sergas_operator.controller.workqueue import Key
from sergas_operator.settings import Settings

SECONDS = 60.0


class OperatorThread:
    """One operator that serves a namespace. KUBECONFIG must be set."""

    def __init__(self, namespace: str) -> None:
        self._settings = Settings(namespaces=(namespace,))
        self.start()

    def start(self) -> None:
        """Start it and return when it is ready."""
        self._operator = handlers.Operator(self._settings)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="operator", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + SECONDS
        while not self._operator.health.is_ready()[0]:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise AssertionError(f"the operator did not become ready: {self._operator.health.is_ready()[1]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it as SIGTERM does."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the operator did not stop"

    def reconcile(self, key: Key) -> None:
        """Reconcile one SergasMonitoring now, and return when nothing more is due."""
        asyncio.run_coroutine_threadsafe(self._reconcile(key), self._loop).result(SECONDS)

    async def _reconcile(self, key: Key) -> None:
        controller: Any = self._operator.controller
        controller.queue.add(key)
        while not controller.queue.idle():  # noqa: ASYNC110  # the queue has no event for it
            await asyncio.sleep(0.005)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(handlers.run(self._operator, self._stop))
        finally:
            self._loop.close()
