"""Corrupt files, failed transactions and files of another release."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sergas_digest.database import FILE, Database, StorageError, counter, increment, probe

NOW = 1_800_000_000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path, lambda: NOW)
    yield found
    found.close()


def value(database: Database, name: str = "sequence") -> int:
    return database.execute(lambda db: counter(db, name))


def test_a_failed_transaction_changes_nothing_and_is_followed_by_others(database: Database) -> None:
    def fail(db: sqlite3.Connection) -> None:
        increment(db, "sequence")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.execute(fail)
    assert value(database) == 0
    with pytest.raises(StorageError, match="no such table: missing"):
        database.execute(lambda db: db.execute("INSERT INTO missing VALUES (1)"))
    assert database.failures == 1


def test_only_a_write_ends_an_error(database: Database) -> None:
    with pytest.raises(StorageError):
        database.execute(lambda db: db.execute("INSERT INTO missing VALUES (1)"))
    assert "no such table" in database.error
    value(database)
    assert database.error
    database.execute(probe)
    assert database.error == ""


@pytest.mark.parametrize("damage", ["no database", "damaged page", "damaged header"])
def test_a_corrupt_file_is_moved_aside_and_replaced(tmp_path: Path, damage: str) -> None:
    first = Database(tmp_path, lambda: NOW)
    first.execute(
        lambda db: db.executemany(
            "INSERT INTO addresses VALUES (?, ?, NULL)", [(str(n), "x" * 500) for n in range(500)]
        )
    )
    first.close()
    content = bytearray((tmp_path / FILE).read_bytes())
    if damage == "no database":
        content = bytearray(b"not a database" * 1000)
    elif damage == "damaged page":
        for page in range(10, len(content) // 4096):
            content[page * 4096 : page * 4096 + 2000] = b"\xff" * 2000
    else:
        content[:16] = b"\0" * 16
    (tmp_path / FILE).write_bytes(content)
    second = Database(tmp_path, lambda: NOW)
    assert second.execute(lambda db: db.execute("SELECT count(*) FROM addresses").fetchone()[0]) == 0
    assert value(second, "replaced") == NOW
    assert (tmp_path / f"{FILE}.corrupt").read_bytes() == content
    second.close()
    third = Database(tmp_path, lambda: NOW + 1)
    assert value(third, "replaced") == NOW
    third.close()


def test_a_file_that_proves_corrupt_while_it_is_used_is_replaced(tmp_path: Path) -> None:
    database = Database(tmp_path, lambda: NOW)
    database.execute(lambda db: increment(db, "sequence"))

    def corrupt(_db: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT | 2 << 8
        raise error

    with pytest.raises(StorageError, match="malformed"):
        database.execute(corrupt)
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    assert value(database) == 0
    assert value(database, "replaced") == NOW
    database.close()


def test_a_file_of_another_release_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    database = Database(tmp_path, lambda: NOW)
    with pytest.raises(StorageError, match="it has version 99, and this release needs version 1"):
        value(database)
    assert "version 99" in database.error
    database.close()
    assert not (tmp_path / f"{FILE}.corrupt").exists()


def test_a_file_that_another_process_uses_is_opened_when_it_is_free(tmp_path: Path) -> None:
    first = Database(tmp_path, lambda: NOW)
    first.execute(lambda db: increment(db, "sequence"))
    second = Database(tmp_path, lambda: NOW)
    with pytest.raises(StorageError, match="database is locked"):
        value(second)
    first.close()
    assert value(second) == 1
    second.close()
