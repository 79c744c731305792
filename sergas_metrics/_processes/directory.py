"""The directory that processes share, and the files in it.

* ``<process>.lock`` is locked for as long as the process lives: the kernel takes the lock away when it dies, however
  it dies. POSIX locks belong to one process, so no child of it keeps them.
* ``<process>.values`` is what it published last, replaced whole each time.
* ``dead.values`` is the sum of the dead. It names those whose files are in it, until the files are gone.
* ``directory.lock`` is held by whoever joins or reads: a reader folds the dead first.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from .merging import folded
from .snapshot import Names, Table, UnreadableError, decoded, encoded

_log = logging.getLogger("sergas_metrics")

_DEAD: Final = "dead"
_DIRECTORY_LOCK: Final = "directory.lock"
_LOCK, _VALUES, _NEW = ".lock", ".values", ".new"


class Directory:
    """The files of all processes, seen by one of them, and by one of its threads at a time.

    Args:
        path: The directory; it is made where it does not exist.
        count_unreadable: Called with how many files a scrape had to leave out.

    Attributes:
        path: The directory.
        name: What this process's files are called; empty as long as it has none.

    Raises:
        OSError: The directory cannot be made.
    """

    def __init__(self, path: Path, count_unreadable: Callable[[float], None]) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._count_unreadable = count_unreadable
        self.name = ""
        self._lock = -1
        self._names: dict[str, Names] = {}
        self._left_out = 0

    def close(self) -> None:
        """Take no part any more, as one that counts as dead; in a child of it, begin as one that never took part."""
        if self.name:
            os.close(self._lock)
        self.name = ""

    def publish(self, tables: Iterable[Table]) -> None:
        """Replace what this process has published.

        Raises:
            OSError: It cannot be written; what was there stays.
        """
        if not (self.name and (self.path / f"{self.name}{_LOCK}").exists()):
            self.close()
            self._join()
        self._write(self.name, tables, known=self._names.get(self.name))

    def gather(self, max_series: int) -> tuple[list[Table], list[Table]]:
        """The sum of the dead, and what all other processes have published.

        Args:
            max_series: How many series each of the library's metrics may have in the sum of the dead.

        Raises:
            OSError: The directory cannot be read or written.
        """
        self._left_out = 0
        with self._locked():
            gone = [name for name in self._members() if self._is_dead(name)]
            if gone:
                self._fold(gone, max_series)
            members = self._members()
            others = [self._read(name) for name in members if name != self.name]
            dead = self._read(_DEAD)
            self._names = {name: names for name, names in self._names.items() if name in (*members, _DEAD)}
            self._count_unreadable(self._left_out + self._strangers(members))
        return dead, [*chain.from_iterable(others)]

    def _fold(self, gone: list[str], max_series: int) -> None:
        """Add what dead processes published to the sum of the dead, and remove their files."""
        dead = self._read(_DEAD)
        about = self._about_dead()
        found = [self._read(name) for name in gone if name not in about.get("folded", ())]
        tables = folded(chain(dead, chain.from_iterable(found)), max_series)
        self._write(_DEAD, tables, {"run": _current_run(), **about, "folded": gone})
        for name in gone:
            self._remove(name)

    def _join(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._start_run(_current_run())
            name = f"{os.getpid()}-{token_hex(4)}"
            self._lock = os.open(self.path / f"{name}{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.name = name

    def _start_run(self, run: str) -> None:
        """Remove what an earlier run left, unless a process of it lives or this is another process of the same run."""
        dead, members = self._read(_DEAD), self._members()
        about = self._about_dead()
        if about.get("run") == run:
            return
        if all(self._is_dead(name) for name in members):
            for name in members:
                self._remove(name)
            dead, about = [], {}
        self._write(_DEAD, dead, {**about, "run": run})

    def _members(self) -> list[str]:
        return sorted(path.name.removesuffix(_LOCK) for path in self.path.glob(f"*-*{_LOCK}"))

    def _is_dead(self, name: str) -> bool:
        """Whether nobody holds a process's lock. Asked of others alone: a process cannot see its own locks."""
        if name == self.name:
            return False
        file = os.open(self.path / f"{name}{_LOCK}", os.O_RDONLY)
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(file)
        return True

    def _read(self, name: str) -> list[Table]:
        path = self.path / f"{name}{_VALUES}"
        try:
            self._names[name], tables = decoded(path.read_bytes(), self._names.get(name))
        except FileNotFoundError:
            return []
        except (OSError, UnreadableError) as error:
            self._names.pop(name, None)
            self._left_out += 1
            _log.warning("%s is left out: %s", path, error)
            return []
        return tables

    def _about_dead(self) -> dict[str, Any]:
        return self._names[_DEAD].about if _DEAD in self._names else {}

    def _strangers(self, members: Iterable[str]) -> int:
        """How many files here are none of this library's."""
        known = {f"{name}{ending}" for name in (*members, _DEAD) for ending in (_LOCK, _VALUES, _NEW)}
        return sum(entry.name not in known and entry.name != _DIRECTORY_LOCK for entry in self.path.iterdir())

    def _write(
        self, name: str, tables: Iterable[Table], about: dict[str, Any] | None = None, known: Names | None = None
    ) -> None:
        self._names[name], data = encoded(tables, about, known)
        new = self.path / f"{name}{_NEW}"
        new.write_bytes(data)
        new.replace(self.path / f"{name}{_VALUES}")

    def _remove(self, name: str) -> None:
        for ending in (_VALUES, _NEW, _LOCK):  # the lock last: without it nobody would look for the others
            with suppress(FileNotFoundError):
                (self.path / f"{name}{ending}").unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the directory against other processes."""
        file = os.open(self.path / _DIRECTORY_LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _current_run() -> str:
    """What all workers of one master share, and no two masters: the master's number and when it started.

    A process that nobody in its container started is a run of its own. Where there is no ``/proc`` the number alone
    has to do.
    """
    master = os.getppid() or os.getpid()
    boot = _text("/proc/sys/kernel/random/boot_id").strip()
    # The name is in parentheses and can contain any character, also parentheses.
    status = _text(f"/proc/{master}/stat").rpartition(")")[2].split()
    return f"{boot} {master} {status[19] if status else ''}"


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
