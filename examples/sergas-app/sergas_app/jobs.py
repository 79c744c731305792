"""Background jobs: they run from startup to shutdown, and one that ends before is a fault of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

log = logging.getLogger("sergas_app.jobs")

Job = Callable[[], Awaitable[None]]


class Jobs:
    """Background jobs by name."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self._jobs = dict(jobs)
        self._running: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all of them; on leaving, cancel them and wait for their end."""
        self._running = {name: asyncio.ensure_future(job()) for name, job in self._jobs.items()}
        for task in self._running.values():
            task.add_done_callback(_report)
        try:
            yield
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def ended(self) -> list[str]:
        """Names of the jobs that have ended; none of them should before shutdown."""
        return [name for name, task in self._running.items() if task.done()]


def _report(task: asyncio.Future[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("a background job ended", exc_info=task.exception())
