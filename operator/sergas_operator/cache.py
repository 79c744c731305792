"""The newest known state of the objects this operator reads, fed by its own requests and by watches.

Objects are kept as compact JSON: a thousand SergasMonitorings cost a few megabytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str, str]  # kind, namespace, name
Body = dict[str, Any]

METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "annotations",
    "ownerReferences",
    "deletionTimestamp",
)


@dataclass
class _Entry:
    version: int = 0
    document: bytes | None = None


@dataclass
class Cache:
    """Objects by key, and what the watches owe us.

    Every version the API server showed us directly must come back through that kind's watch. `oldest_debt`
    tells how long the longest-awaited one has been missing: a watch that stalls while the process looks
    alive is so found out.
    """

    clock: Callable[[], float] = time.monotonic
    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _awaited: dict[Key, tuple[int, float]] = field(default_factory=dict)

    def get(self, key: Key) -> Body | None:
        """The newest known state; None when it is not known."""
        entry = self._entries.get(key)
        return json.loads(entry.document) if entry and entry.document else None

    def track(self, key: Key) -> None:
        """Starts to keep what watches say of `key`. To be called before it is read, lest an event in
        between be missed.
        """
        self._entries.setdefault(key, _Entry())

    def answered(self, key: Key, body: Mapping[str, Any], *, written: bool) -> None:
        """Keeps what the API server answered.

        What was written must come back through its watch. So must what was read and is newer than what the
        watch has told; a first read says nothing, for the watch may have told of the object before anyone
        tracked it.
        """
        version = _version(body)
        entry = self._entries.setdefault(key, _Entry())
        if version > entry.version and (written or entry.version):
            _, since = self._awaited.get(key, (0, self.clock()))
            self._awaited[key] = (version, since)
        self._store(entry, version, body)

    def event(self, key: Key, body: Mapping[str, Any], *, keep: bool) -> bool:
        """Keeps what a watch told. Returns whether it was news.

        Args:
            key: the object.
            body: the object, as the watch showed it.
            keep: whether to keep an object nobody has tracked.
        """
        version = _version(body)
        awaited = self._awaited.get(key)
        if awaited and version >= awaited[0]:
            del self._awaited[key]
        entry = self._entries.get(key)
        if entry is None:
            if not keep:
                return False
            entry = self._entries.setdefault(key, _Entry())
        if version <= entry.version:
            return False
        self._store(entry, version, body)
        return True

    def gone(self, key: Key, version: int | None = None) -> None:
        """Forgets an object that does not exist, unless a version newer than the deletion is known."""
        entry = self._entries.get(key)
        if entry and version is not None and entry.version > version:
            return
        self._awaited.pop(key, None)
        if entry:
            entry.document = None
            entry.version = version or entry.version

    def forget(self, key: Key) -> None:
        """Stops tracking an object."""
        self._entries.pop(key, None)
        self._awaited.pop(key, None)

    def oldest_debt(self) -> tuple[float, Key | None]:
        """Seconds the longest-awaited event has been missing, and of which object; 0 when none is."""
        if not self._awaited:
            return 0.0, None
        key, (_, since) = min(self._awaited.items(), key=lambda item: item[1][1])
        return self.clock() - since, key

    def _store(self, entry: _Entry, version: int, body: Mapping[str, Any]) -> None:
        if version >= entry.version:
            entry.version, entry.document = version, json.dumps(trimmed(body)).encode()


def trimmed(body: Mapping[str, Any]) -> Body:
    """The parts of an object the operator looks at; of managedFields only who they are."""
    metadata = body["metadata"]
    kept = {name: metadata[name] for name in METADATA if name in metadata}
    managers = sorted({entry.get("manager", "") for entry in metadata.get("managedFields") or ()})
    rest = {name: value for name, value in body.items() if name != "metadata"}
    return {"metadata": kept | {"managers": managers}, **rest}


def _version(body: Mapping[str, Any]) -> int:
    # Since Kubernetes 1.35 the API promises that versions of one resource compare as numbers; etcd made it
    # so before.
    return int(body["metadata"].get("resourceVersion") or 0)
