"""The SQLite file of the digest: opening, transactions, and what happens when it is corrupt or cannot be written.

One process opens the file, and one thread of it uses the file. What a transaction has committed survives a power cut.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)

FILE = "digest.sqlite"
# What is moved aside, including SQLite's write-ahead log, which belongs to its database.
SUFFIXES = ("", "-wal", "-journal")
# It is set at the end of the schema.
VERSION = 1
# Larger than the free pages that a full disk leaves in the write-ahead log.
PROBE_BYTES = 256 * 1024

T = TypeVar("T")

_SCHEMA = """
BEGIN;
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    starts REAL NOT NULL,
    ends REAL,
    end_reported INTEGER NOT NULL,
    last_seen REAL NOT NULL,
    sequence INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, starts);
CREATE INDEX alerts_by_group ON alerts (namespace, name);
CREATE INDEX alerts_by_start ON alerts (starts, id);
CREATE TABLE receivers (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    boundary INTEGER NOT NULL
) STRICT;
CREATE TABLE addresses (
    receiver TEXT NOT NULL,
    address TEXT NOT NULL,
    missing_since INTEGER,
    PRIMARY KEY (receiver, address)
) STRICT;
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    receiver TEXT NOT NULL,
    boundary INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    alerts INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    message BLOB NOT NULL
) STRICT;
CREATE TABLE recipients (
    batch INTEGER NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'refused')),
    PRIMARY KEY (batch, address)
) STRICT;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO counters VALUES ('sequence', 0), ('dropped', 0), ('replaced', 0);
CREATE TABLE probe (content BLOB NOT NULL) STRICT;
INSERT INTO probe VALUES (zeroblob(0));
PRAGMA user_version = 1;
COMMIT;
"""


class StorageError(Exception):
    """The database cannot be opened, read or written."""


class Database:
    """The database in a folder. It is opened by the first operation, and again after a failure to open it.

    Attributes:
        error: why an operation failed, empty after one that wrote has succeeded. One that only reads succeeds on a
            full disk.
        failures: how many operations have failed since the start.
    """

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        """`now` gives the Unix time that is recorded when a corrupt file is replaced."""
        self._path = folder / FILE
        self._now = now
        self._thread = ThreadPoolExecutor(1, "database")
        self._connection: sqlite3.Connection | None = None
        self.error = ""
        self.failures = 0

    def close(self) -> None:
        """Waits for the operation that runs, and closes the file."""
        self._thread.shutdown()
        if self._connection:
            self._connection.close()

    async def run(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `operation` in a transaction, in the thread of the database. Errors are those of `execute`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.execute, operation)

    def execute(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `operation` in a transaction, which is committed if it returns and rolled back if it raises.

        A file that is corrupt is renamed to `digest.sqlite.corrupt` and replaced by an empty one.

        Raises:
            StorageError: the file cannot be opened, read or written. The operation may be tried again.
        """
        try:
            if self._connection is None:
                self._connection = self._open()
            before = self._connection.total_changes
            result = _transaction(self._connection, operation)
            wrote = self._connection.total_changes > before
        except (sqlite3.Error, OSError) as error:
            self.error = f"the database {self._path} failed: {error}"
            self.failures += 1
            if _corrupt(error) and self._connection:
                self._connection.close()
                self._connection = None
            raise StorageError(self.error) from error
        if wrote:
            self.error = ""
        return result

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.Error as error:
            if not _corrupt(error):
                raise
            self._move_aside(str(error))
        connection = self._connect()
        connection.execute("UPDATE counters SET value = ? WHERE name = 'replaced'", (int(self._now()),))
        return connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            # One process alone opens the file. This also avoids shared memory, which network volumes lack.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # The root file system is read-only.
            connection.execute("PRAGMA temp_store = MEMORY")
            _check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _move_aside(self, reason: str) -> None:
        """Renames the file, over one that was renamed earlier: two of them might fill the volume."""
        aside = self._path.with_name(f"{FILE}.corrupt")
        log.error(
            "the database %s is corrupt (%s): it is moved to %s and its alerts are lost", self._path, reason, aside
        )
        for suffix in SUFFIXES:
            source, target = Path(f"{self._path}{suffix}"), Path(f"{aside}{suffix}")
            target.unlink(missing_ok=True)
            if source.exists():
                source.rename(target)


def _transaction(connection: sqlite3.Connection, operation: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = operation(connection)
        connection.execute("COMMIT")
    except BaseException:
        # A commit that failed may have left the transaction open.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _check(connection: sqlite3.Connection) -> None:
    """Creates the tables in a new file, and checks those of an old one."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(_SCHEMA)
        return
    if version != VERSION:
        raise sqlite3.NotSupportedError(f"it has version {version}, and this release needs version {VERSION}")
    [result] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        error = sqlite3.DatabaseError(result)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _corrupt(error: Exception) -> bool:
    # The low byte is the primary code: SQLITE_CORRUPT_INDEX is a kind of SQLITE_CORRUPT.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def probe(connection: sqlite3.Connection) -> None:
    """Writes enough to show that the disk has room. It is for a database whose last write failed."""
    connection.execute("UPDATE probe SET content = randomblob(?)", (PROBE_BYTES,))


def counter(connection: sqlite3.Connection, name: str) -> int:
    """The value of a counter."""
    return int(connection.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()[0])


def increment(connection: sqlite3.Connection, name: str, by: int = 1) -> int:
    """Adds to a counter and returns its new value."""
    row = connection.execute("UPDATE counters SET value = value + ? WHERE name = ? RETURNING value", (by, name))
    return int(row.fetchone()[0])
