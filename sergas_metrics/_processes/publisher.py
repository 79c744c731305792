"""Publishes what this process records, and answers for all."""

from __future__ import annotations

import atexit
import logging
import os
import weakref
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from .._boundary import guarded
from .._families import Counter, Gauge
from .._family import Family
from .._private import collectors_of
from .directory import Directory
from .merging import Known, Merger
from .snapshot import PUBLISHED, Local, LocalReader, Table, is_blank

_log = logging.getLogger("sergas_metrics")

Message = MutableMapping[str, Any]
ASGIApp = Callable[..., Awaitable[None]]

SECONDS: Final = 1.0
"""Between two times of publishing. A process that is killed takes along what it recorded since the last one."""


class Publisher:
    """Shares a registry's metrics with other processes through a directory.

    Nothing is done before ``start``, a scrape, or a fork: a master that only loads the application and forks has
    neither thread nor files, unless it recorded something.

    Args:
        registry: The registry.
        path: The directory.
        max_series: How many series each metric may have in the sum of the dead.
        processes: A gauge that says 1 in each process, once it has published.
        unreadable: Counts files that a scrape had to leave out.

    Raises:
        OSError: The directory cannot be made.
        ValueError: Another registry of this process has the directory.
    """

    def __init__(
        self, registry: CollectorRegistry, path: Path, max_series: int, *, processes: Gauge, unreadable: Counter
    ) -> None:
        if path in _publishers:
            raise ValueError(
                f"another registry of this process keeps its metrics in {path}: "
                "give each registry a directory of its own"
            )
        self._directory = Directory(path, unreadable.inc)
        _publishers[path] = self
        self._registry = weakref.ref(registry)
        self._max_series = max_series
        self._processes = processes
        self._unreadable = unreadable
        self._reader = LocalReader()
        self._merger = Merger(max_series)
        self._mutex = Lock()
        self._thread: Thread | None = None
        self._failed = False
        weakref.finalize(self, self._directory.close).atexit = False

    def start(self) -> None:
        """Publish every second from now on. Starting twice is harmless."""
        if self._thread is not None:
            return
        with self._mutex:
            if self._thread is None:
                name = "sergas-metrics-publisher"
                self._thread = Thread(target=_publish_for_ever, args=(weakref.ref(self),), name=name, daemon=True)
                self._thread.start()

    def publish(self) -> None:
        """Publish what this process has recorded. A failure is logged once, until it is over."""
        with self._mutex:
            self._publish()

    def of_all_processes(self, known: Known) -> Known:
        """The collectors of a scrape: those whose metrics are published, of all processes, and the rest as they are.

        Args:
            known: The registry's collectors with the names of their metrics.
        """
        with self._mutex:
            local = self._publish()
            dead: Sequence[Table] = ()
            others: Sequence[Table] = ()
            try:
                dead, others = self._directory.gather(self._max_series)
            except OSError as error:
                self._unreadable.inc()
                _log.error("cannot read what other processes published in %s: %s", self._directory.path, error)
            return self._merger.collectors(known, local, dead, others)

    def around(self, app: ASGIApp) -> ASGIApp:
        """An ASGI application in a process that publishes from its first connection on.

        A server's master that loads the application and serves nothing thus starts no thread, which its forks would
        lack. The last time is when the application has shut down: a server may end by a signal, which leaves no other
        chance.
        """

        def published(scope: Message, receive: Any, send: Any) -> Awaitable[None]:
            guarded("publish", self.start)
            if scope["type"] != "lifespan":
                return app(scope, receive, send)

            async def publish_at_shutdown(message: Message) -> None:
                if message.get("type", "").startswith("lifespan.shutdown."):
                    guarded("publish", self.publish)
                await send(message)

            return app(scope, receive, publish_at_shutdown)

        return published

    def before_fork(self) -> None:
        """Publish nothing until the fork is over, save what would be lost: a child begins at zero."""
        self._mutex.acquire()
        if self._thread is None and not is_blank(self._local()):
            self._publish()

    def after_fork_in_parent(self) -> None:
        """Publish again."""
        self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Begin at zero: what the parent recorded is the parent's."""
        started, self._thread = self._thread is not None, None
        self._mutex = Lock()
        self._directory.close()
        self._reader = LocalReader()
        self._reader.inherit(self._collectors())
        for collector in self._collectors():
            if isinstance(collector, Family):
                collector.reset()
        if started:
            self.start()

    def at_exit(self) -> None:
        """Publish a last time, if this process has anything to say."""
        if self._registry() is not None and (self._directory.name or not is_blank(self._local())):
            self.publish()

    def _publish(self) -> Local:
        self._processes.set(1)
        local = self._local()
        try:
            self._directory.publish(chain.from_iterable(local.values()))
        except OSError as error:
            if not self._failed:
                _log.error("cannot publish metrics in %s: %s", self._directory.path, error)
            self._failed = True
        else:
            self._failed = False
        return local

    def _local(self) -> Local:
        return self._reader.read(self._collectors())

    def _collectors(self) -> Sequence[Collector]:
        registry = self._registry()
        return [found for found in collectors_of(registry) if isinstance(found, PUBLISHED)] if registry else []


def _publish_for_ever(reference: weakref.ref[Publisher]) -> None:
    pause = Event()
    while not pause.wait(SECONDS):
        publisher = reference()
        if publisher is None:
            return
        publisher.publish()
        del publisher


_publishers: weakref.WeakValueDictionary[Path, Publisher] = weakref.WeakValueDictionary()
"""The publisher of each directory."""


def _each(hook: Callable[[Publisher], None]) -> None:
    for publisher in list(_publishers.values()):
        hook(publisher)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=partial(_each, Publisher.before_fork),
        after_in_parent=partial(_each, Publisher.after_fork_in_parent),
        after_in_child=partial(_each, Publisher.after_fork_in_child),
    )
atexit.register(_each, Publisher.at_exit)
