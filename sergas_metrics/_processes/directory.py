"""The directory that processes share, and the files in it.

* ``<process>.lock`` is locked for as long as the process lives: the kernel takes the lock away when it dies, however
  it dies. POSIX locks belong to one process, so no child of it keeps them.
* ``<process>.values`` is what it published last, replaced whole each time.
* ``dead.values`` is the sum of the dead. It names those whose files are in it, until the files are gone.
* ``directory.lock`` is held by whoever joins, or folds the dead.

A reader takes no lock: what it reads counts unless ``dead.values`` was replaced meanwhile.
"""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, Final

from .heads import is_family
from .merging import folded
from .run import current_run
from .snapshot import Reader, Snapshot, Table, UnreadableError, encoded, names_of

_log = logging.getLogger("sergas_metrics")

_DEAD: Final = "dead"
_DIRECTORY_LOCK: Final = "directory.lock"
_LOCK, _VALUES, _NEW = ".lock", ".values", ".new"
_TRIES: Final = 20


class Directory:
    """The files of all processes, seen by one of them.

    Args:
        path: The directory; it is made where it does not exist.

    Attributes:
        path: The directory.
        unreadable: How many files could not be read so far.

    Raises:
        OSError: The directory cannot be made, or this system has no POSIX file locks.
    """

    def __init__(self, path: Path) -> None:
        _fcntl()
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.unreadable = 0
        self._own = ""
        self._lock = -1
        self._mutex = Lock()
        self._reader = Reader()

    @property
    def joined(self) -> bool:
        """Whether this process has files here."""
        return bool(self._own)

    def join(self) -> None:
        """Take part: what is here from an earlier run goes, unless a process of it lives.

        Raises:
            OSError: The directory cannot be made or written to.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._start_run(current_run())
            name = f"{os.getpid()}-{token_hex(4)}"
            self._lock = os.open(self.path / f"{name}{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            _fcntl().lockf(self._lock, _fcntl().LOCK_EX | _fcntl().LOCK_NB)
            self._own = name

    def leave_in_child(self) -> None:
        """This process is a child of the one that joined: the files are not its own."""
        self._mutex = Lock()
        self.close()

    def close(self) -> None:
        """Take no part any more: the process counts as dead."""
        if self._own:
            os.close(self._lock)
        self._own = ""

    def publish(self, data: bytes) -> None:
        """Replace what this process has published.

        Raises:
            OSError: It cannot be written; what was there stays.
        """
        if not (self._own and (self.path / f"{self._own}{_LOCK}").exists()):
            self.close()
            self.join()
        self._replace(self._own, data)

    def others(self) -> tuple[Snapshot | None, list[Snapshot]]:
        """The sum of the dead, and what each other process has published, as of one moment."""
        for _ in range(_TRIES):
            before = self._state_of_dead()
            dead = self._read(_DEAD)
            gone = set(dead.about.get("folded", ())) if dead else set()
            found = [self._read(name) for name in self._members() if name != self._own and name not in gone]
            if self._state_of_dead() == before:
                break
        self._reader.forget_all_but([*self._members(), _DEAD])
        self.unreadable += self._strangers()
        return dead, [snapshot for snapshot in found if snapshot is not None]

    def fold(self, max_series: int) -> None:
        """Add what dead processes published to the sum of the dead, and remove their files.

        Args:
            max_series: How many series each of the library's metrics may have there.

        Raises:
            OSError: It cannot be read or written.
        """
        if not any(self._is_dead(name) for name in self._members()):
            return
        with self._locked():
            self._fold(max_series)

    def _fold(self, max_series: int) -> None:
        names = [name for name in self._members() if self._is_dead(name)]
        dead = self._read(_DEAD) or Snapshot({}, {"run": current_run()})
        already = set(dead.about.get("folded", ()))
        found = [dead, *(s for s in (self._read(name) for name in names if name not in already) if s is not None)]
        tables: list[Table] = []
        for head in dict.fromkeys(chain.from_iterable(snapshot.tables for snapshot in found)):
            mine = [snapshot.tables[head] for snapshot in found if head in snapshot.tables]
            tables += folded(mine, max_series if is_family(head) else None)
        self._write_dead(tables, {**dead.about, "folded": names})
        for name in names:
            self._remove(name)

    def _write_dead(self, tables: list[Table], about: dict[str, Any]) -> None:
        values = array("d", chain.from_iterable(table.values for table in tables))
        self._replace(_DEAD, encoded(map(names_of, tables), values, about))

    def _start_run(self, run: str) -> None:
        """Remove what an earlier run left, unless a process of it lives or this is another process of the same run."""
        members = self._members()
        dead = self._read(_DEAD)
        if dead is not None and dead.about.get("run") == run:
            return
        if any(not self._is_dead(name) for name in members):
            self._write_dead([*dead.tables.values()] if dead else [], {**(dead.about if dead else {}), "run": run})
            return
        for name in members:
            self._remove(name)
        self._write_dead([], {"run": run})

    def _members(self) -> list[str]:
        return sorted(path.name.removesuffix(_LOCK) for path in self.path.glob(f"*-*{_LOCK}"))

    def _is_dead(self, name: str) -> bool:
        """Whether nobody holds a process's lock. Asked of others alone: a process cannot see its own locks."""
        if name == self._own:
            return False
        try:
            file = os.open(self.path / f"{name}{_LOCK}", os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            # Shared, so that two that ask at once do not take each other for the owner.
            _fcntl().lockf(file, _fcntl().LOCK_SH | _fcntl().LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(file)
        return True

    def _read(self, name: str) -> Snapshot | None:
        live = name != _DEAD and not self._is_dead(name)
        path = self.path / f"{name}{_VALUES}"
        try:
            return self._reader.read(name, path.read_bytes(), live=live)
        except FileNotFoundError:
            return None
        except (OSError, UnreadableError) as error:
            self.unreadable += 1
            _log.warning("%s is left out: %s", path, error)
            return None

    def _strangers(self) -> int:
        """How many files here are none of this library's."""
        known = {f"{name}{ending}" for name in (*self._members(), _DEAD) for ending in (_LOCK, _VALUES, _NEW)}
        return sum(entry.name not in known and entry.name != _DIRECTORY_LOCK for entry in self.path.iterdir())

    def _state_of_dead(self) -> tuple[int, int, int] | None:
        try:
            found = (self.path / f"{_DEAD}{_VALUES}").stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _replace(self, name: str, data: bytes) -> None:
        new = self.path / f"{name}{_NEW}"
        new.write_bytes(data)
        new.replace(self.path / f"{name}{_VALUES}")

    def _remove(self, name: str) -> None:
        for ending in (_VALUES, _NEW, _LOCK):  # the lock last: without it nobody would look for the others
            with suppress(FileNotFoundError):
                (self.path / f"{name}{ending}").unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the directory: against other processes by a lock, against other threads by a mutex."""
        with self._mutex:
            file = os.open(self.path / _DIRECTORY_LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _fcntl().lockf(file, _fcntl().LOCK_EX)
                yield
            finally:
                os.close(file)


def _fcntl() -> Any:
    """The module that locks files.

    Raises:
        OSError: This system has none.
    """
    try:
        import fcntl  # noqa: PLC0415  # Windows lacks it, and needs it for nothing else
    except ImportError as error:
        raise OSError(
            "metrics of many processes need POSIX file locks, which this system lacks: run one process"
        ) from error
    return fcntl
