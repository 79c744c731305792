"""Publishers of this process, told when it forks and when it ends."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary


class Told(Protocol):
    """What is told."""

    def before_fork(self) -> None:
        """The process is about to fork."""

    def after_fork_in_parent(self) -> None:
        """It has forked, and is the parent."""

    def after_fork_in_child(self) -> None:
        """It has forked, and is the child."""

    def at_exit(self) -> None:
        """The process ends."""


_told: WeakValueDictionary[Path, Told] = WeakValueDictionary()


def claim(path: Path, publisher: Told) -> None:
    """Let a publisher have a directory, and tell it of forks and of the end.

    Raises:
        ValueError: Another publisher of this process has the directory.
    """
    if path in _told:
        raise ValueError(
            f"another registry of this process keeps its metrics in {path}: give each registry a directory of its own"
        )
    _told[path] = publisher


def _before() -> None:
    for publisher in list(_told.values()):
        publisher.before_fork()


def _in_parent() -> None:
    for publisher in list(_told.values()):
        publisher.after_fork_in_parent()


def _in_child() -> None:
    for publisher in list(_told.values()):
        publisher.after_fork_in_child()


def _at_exit() -> None:
    for publisher in list(_told.values()):
        publisher.at_exit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
atexit.register(_at_exit)
