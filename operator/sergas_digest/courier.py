"""Sends each receiver its digest when it is due, and again until it is taken."""

from __future__ import annotations

import asyncio
import functools
import logging
import smtplib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sergas_digest import metrics
from sergas_digest.letter import letter
from sergas_digest.postman import send
from sergas_digest.schedule import boundary, retry_delay
from sergas_digest.settings import Config, MailReceiver, SettingsError, read
from sergas_digest.store import Store

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
T = TypeVar("T")


class Courier:
    """The store's one user: whoever needs it asks here, and a thread of its own answers."""

    def __init__(self, store: Store, config: Path, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._path = config
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "store")
        self._config: Config | None = None
        self._said = ""
        self._failures: dict[str, tuple[int, float]] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self.beaten = time.monotonic()

    async def ask(self, question: Callable[[Store], T]) -> T:
        """What `question` returns of the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._store)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks every second until `stop` is set, then waits for the mails under way."""
        while not stop.is_set():
            await self.look()
            self.beaten = time.monotonic()
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
        await asyncio.gather(*self._sending.values(), return_exceptions=True)

    async def look(self) -> None:
        """Starts a mail for everyone who is due and has none under way: a slow server delays no other's."""
        config = self._read()
        if config is None:
            return
        now = self._clock()
        latest = boundary(now, config.interval)
        names = [receiver.name for receiver in config.receivers]

        def prepare(store: Store) -> dict[str, int]:
            store.register(names, latest)
            store.give_up_on_the_silent(now)
            metrics.PENDING.set(store.waiting())
            return {name: store.boundary(name) for name in names}

        last = await self.ask(prepare)
        for receiver in config.receivers:
            _, not_before = self._failures.get(receiver.name, (0, 0.0))
            if last[receiver.name] < latest and receiver.name not in self._sending and now >= not_before:
                task = asyncio.create_task(self._deliver(receiver, config, latest))
                self._sending[receiver.name] = task
                task.add_done_callback(functools.partial(self._done, receiver.name))

    async def _deliver(self, receiver: MailReceiver, config: Config, latest: int) -> None:
        name = receiver.name
        pending = await self.ask(lambda store: store.pending(name))
        if pending.alerts or pending.dropped:
            try:
                mail = letter(receiver, config, pending, latest, self._clock())
                await asyncio.to_thread(send, receiver, mail)
            except (smtplib.SMTPException, OSError, SettingsError, ValueError) as error:
                self._failed(name, error)
                return
        self._failures.pop(name, None)
        await self.ask(lambda store: store.told(name, pending, latest, self._clock()))
        if pending.alerts or pending.dropped:
            log.info("%s: sent a digest of %d alerts", name, len(pending.alerts))
            metrics.SENT.labels(name).inc()
        metrics.LAST_SUCCESS.labels(name).set(self._clock())
        metrics.PENDING.set(await self.ask(lambda store: store.waiting()))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        del self._sending[name]
        if not task.cancelled() and (error := task.exception()):
            self._failed(name, error)

    def _failed(self, name: str, error: BaseException) -> None:
        failures = self._failures.get(name, (0, 0.0))[0] + 1
        delay = retry_delay(failures)
        self._failures[name] = failures, self._clock() + delay
        metrics.FAILURES.labels(name).inc()
        log.warning(
            "%s: the digest was not sent, %s: %s; trying again in %d s", name, type(error).__name__, error, delay
        )

    def _read(self) -> Config | None:
        """The configuration as it is now, or as it last could be read."""
        try:
            self._config = read(self._path)
            self._said = ""
        except SettingsError as error:
            if self._said != str(error):
                log.warning(
                    "%s; %s", error, "the last one goes on" if self._config else "nothing is mailed until it is there"
                )
            self._said = str(error)
        return self._config
