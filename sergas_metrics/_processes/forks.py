"""What publishers do when their process forks and when it ends."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary


class ForkHooks(Protocol):
    """What is called around a fork and at the end."""

    def before_fork(self) -> None:
        """The process is about to fork."""

    def after_fork_in_parent(self) -> None:
        """It has forked, and is the parent."""

    def after_fork_in_child(self) -> None:
        """It has forked, and is the child."""

    def at_exit(self) -> None:
        """The process ends."""


_hooked: WeakValueDictionary[Path, ForkHooks] = WeakValueDictionary()


def claim(path: Path, publisher: ForkHooks) -> None:
    """Give a directory to a publisher, whose hooks are called from now on.

    Raises:
        ValueError: Another publisher of this process has the directory.
    """
    if path in _hooked:
        raise ValueError(
            f"another registry of this process keeps its metrics in {path}: give each registry a directory of its own"
        )
    _hooked[path] = publisher


def _call(hook: str) -> None:
    for publisher in list(_hooked.values()):
        getattr(publisher, hook)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _call("before_fork"),
        after_in_parent=lambda: _call("after_fork_in_parent"),
        after_in_child=lambda: _call("after_fork_in_child"),
    )
atexit.register(_call, "at_exit")
