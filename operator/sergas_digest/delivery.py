"""Sends every receiver its digest when it is due, and again until it is accepted."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
from dataclasses import dataclass

from sergas_digest import alert_store, batch_store, message, metrics, rendering, smtp
from sergas_digest.batch_store import Batch, Content
from sergas_digest.clock import Clock
from sergas_digest.config import Config, ConfigFile, MailReceiver
from sergas_digest.database import Database, StorageError, counter, probe
from sergas_digest.outcome import Outcome
from sergas_digest.schedule import Backoff, boundary

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# A session that is under way at SIGTERM. With what else a stop takes it fits a grace period of 60 s.
STOP_SECONDS = 20.0
# Each holds its message several times in memory.
SESSIONS = 4
FIRST_RECORD_RETRY, LAST_RECORD_RETRY = 1.0, 60.0


@dataclass(frozen=True)
class Work:
    """A mail that can be sent now. `batch` is None if it must be created first; `key` names it in the backoff."""

    receiver: MailReceiver
    batch: int | None
    key: str


class Delivery:
    """The loop that sends digests.

    Attributes:
        beat: the monotonic time of the last pass of the loop.
    """

    def __init__(self, database: Database, config_file: ConfigFile, clock: Clock) -> None:
        self._database = database
        self._config_file = config_file
        self._clock = clock
        self._backoff = Backoff(clock.monotonic)
        self._sessions = asyncio.Semaphore(SESSIONS)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deadlines: dict[str, asyncio.Timeout] = {}
        self._stopping = asyncio.Event()
        self._names: set[str] = set()
        self._failures = 0
        self._receiving_since = clock.wall()
        self.beat = clock.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Makes a pass every second until `stop` is set, then ends the sessions that are under way."""
        while not stop.is_set():
            await self.look()
            self.beat = self._clock.monotonic()
            await _sleep(TICK_SECONDS, stop)
        await self.stop()

    async def stop(self) -> None:
        """Waits for the sessions that are under way, at most STOP_SECONDS."""
        self._stopping.set()
        for deadline in self._deadlines.values():
            latest = asyncio.get_running_loop().time() + STOP_SECONDS
            deadline.reschedule(min(latest, deadline.when() or latest))
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def look(self) -> None:
        """Starts a mail for every receiver that has one to get and none under way."""
        config = self._config_file.refresh()
        now = self._clock.wall()
        self._notice_interruption(now)
        metrics.WRITABLE.set(not self._database.error)
        if config is None:
            return
        try:
            if self._database.error:
                await self._database.run(probe)
            work = await self._database.run(functools.partial(self._prepare, config, now))
        except StorageError:
            if self._failures != self._database.failures:
                self._log_storage_error()
            return
        for item in work:
            self._start(item, config)

    def _notice_interruption(self, now: float) -> None:
        """Notes that alerts could not be received, or that the time since their last report is not known."""
        if moved := self._clock.jump():
            log.warning("the clock was set by %+.0f s", moved)
        if moved or self._config_file.error or self._database.failures != self._failures:
            self._receiving_since = now
        if not self._database.error:
            self._failures = self._database.failures

    def _log_storage_error(self) -> None:
        if self._failures != self._database.failures:
            log.error("%s; alerts are refused and no mail is sent until it can be written", self._database.error)
        self._failures = self._database.failures

    def _prepare(self, config: Config, now: float, connection: sqlite3.Connection) -> list[Work]:
        """Brings the database up to date and returns what can be sent."""
        latest = boundary(now, config.interval)
        batch_store.register(connection, config.receivers, latest)
        alert_store.expire(connection, now, self._receiving_since)
        alert_store.prune(connection, now - alert_store.REMEMBER_SECONDS)
        for receiver, address in batch_store.give_up(connection, now):
            log.error("%s: %s has refused a digest temporarily for too long and will not get it", receiver, address)
        self._measure(connection, config, now, latest)
        return [work for receiver in config.receivers for work in self._work(connection, receiver, latest)]

    def _measure(self, connection: sqlite3.Connection, config: Config, now: float, latest: int) -> None:
        names = {receiver.name for receiver in config.receivers}
        metrics.track_receivers(names, self._names)
        self._names = names
        metrics.PENDING.set(alert_store.pending(connection))
        metrics.REPLACED.set(counter(connection, "replaced"))
        for name in names:
            since = batch_store.overdue_since(connection, name, latest, config.interval)
            metrics.OVERDUE.labels(name).set(0 if since is None else max(0.0, now - since))

    def _work(self, connection: sqlite3.Connection, receiver: MailReceiver, latest: int) -> list[Work]:
        """The batches of a receiver that wait, and a new one if a digest is due and no older one is undelivered."""
        waiting = batch_store.waiting(connection, receiver.name)
        found = [
            Work(receiver, number, f"{receiver.name} {number}" if accepted else receiver.name)
            for number, accepted in waiting
        ]
        if batch_store.due(connection, receiver.name, latest) and all(accepted for _, accepted in waiting):
            found.append(Work(receiver, None, receiver.name))
        return [work for work in found if self._backoff.ready(work.key)]

    def _start(self, work: Work, config: Config) -> None:
        name = work.receiver.name
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._deliver(work, config))
            self._tasks[name].add_done_callback(functools.partial(self._done, work))

    def _done(self, work: Work, task: asyncio.Task[None]) -> None:
        del self._tasks[work.receiver.name]
        if not task.cancelled() and (error := task.exception()):
            delay = self._backoff.failed(work.key)
            metrics.FAILURES.labels(work.receiver.name).inc()
            log.error("%s: the digest was not sent; next attempt in %.0f s", work.receiver.name, delay, exc_info=error)

    async def _deliver(self, work: Work, config: Config) -> None:
        async with self._sessions:
            if self._stopping.is_set():
                return
            batch = await self._batch(work, config)
            if batch is None:
                self._succeeded(work)
                return
            session = smtp.Session(work.receiver)
            outcome = await self._send(session, batch)
            await self._record(batch, outcome)
            self._report(work, batch, outcome)
            await session.quit()

    async def _batch(self, work: Work, config: Config) -> Batch | None:
        """The batch to be sent, None if there is nothing to send. It is on disk when this returns."""
        now = self._clock.wall()
        latest = boundary(now, config.interval)

        def prepare(connection: sqlite3.Connection) -> Batch | None:
            number = work.batch
            if number is None:
                render = functools.partial(_render, work.receiver, config.environment, (latest, now))
                number = batch_store.create(connection, work.receiver, latest, render)
            return None if number is None else batch_store.load(connection, number)

        return await self._database.run(prepare)

    async def _send(self, session: smtp.Session, batch: Batch) -> Outcome:
        deadline = asyncio.timeout(smtp.SESSION_SECONDS)
        self._deadlines[batch.receiver] = deadline
        try:
            return await session.send(batch.recipients, batch.message, deadline)
        finally:
            del self._deadlines[batch.receiver]

    async def _record(self, batch: Batch, outcome: Outcome) -> None:
        """Stores an outcome. While that fails the mail is not sent again: the server may have accepted it."""
        delay = FIRST_RECORD_RETRY
        while True:
            try:
                await self._database.run(lambda connection: batch_store.record(connection, batch, outcome))
            except StorageError as error:
                reason = f"the outcome of mail {batch.message_id} is not stored: {error}"
                log.warning("%s: %s; next attempt in %.0f s", batch.receiver, reason, delay)
                if self._stopping.is_set():
                    return
                await _sleep(delay, self._stopping)
                delay = min(LAST_RECORD_RETRY, delay * 2)
            else:
                return

    def _report(self, work: Work, batch: Batch, outcome: Outcome) -> None:
        name = work.receiver.name
        for kind, replies in (("temporary", outcome.deferred), ("permanent", outcome.refused)):
            for address, reply in replies.items():
                metrics.REFUSED.labels(name, kind).inc()
                log.warning("%s: %s was refused (%s): %s", name, address, kind, reply)
        if outcome.accepted:
            log.info("%s: sent a digest of %d alerts to %s", name, batch.alerts, ", ".join(outcome.accepted))
            metrics.SENT.labels(name).inc()
            self._succeeded(work)
        else:
            metrics.FAILURES.labels(name).inc()
        key = f"{name} {batch.id}" if outcome.accepted or batch.accepted else name
        if len(outcome.accepted) + len(outcome.refused) < len(batch.recipients) or not outcome.accepted:
            delay = self._backoff.failed(key)
            reason = outcome.error or "recipients were refused"
            log.warning("%s: the digest was not sent to everyone: %s; next attempt in %.0f s", name, reason, delay)

    def _succeeded(self, work: Work) -> None:
        self._backoff.succeeded(work.key)
        metrics.LAST_SUCCESS.labels(work.receiver.name).set(self._clock.wall())


def _render(
    receiver: MailReceiver,
    environment: str,
    times: tuple[int, float],
    connection: sqlite3.Connection,
    found: Content,
) -> tuple[str, bytes]:
    """Message-ID and message; `times` are the boundary and the date of the mail."""
    latest, now = times
    digest = rendering.Digest(environment, latest, len(found.alerts), found.firing, found.dropped)
    listed = (
        rendering.Listed(fingerprint, name, functools.partial(batch_store.read, connection, number))
        for number, fingerprint, name in found.alerts
    )
    return message.build(receiver, rendering.fill(digest, listed), now)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Waits, but not longer than until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
