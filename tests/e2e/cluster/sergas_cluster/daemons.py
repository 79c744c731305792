"""The cluster's daemons: started once, found again by later commands, ended by their recorded process."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from . import debian, paths, process, toolbuild
from .errors import ClusterError

LOG_LINES = 12


@dataclass(frozen=True)
class Daemon:
    """A program to keep running.

    Attributes:
        name: of its log and record.
        argv: program by absolute path, and arguments.
        configuration: text of its configuration files: a change calls for a restart, as one of argv does.
    """

    name: str
    argv: tuple[str, ...]
    configuration: str = ""

    @property
    def key(self) -> str:
        """Twelve hex digits over how it is started."""
        return toolbuild.digest(part.encode() for part in (*self.argv, self.configuration))


def start(daemon: Daemon) -> bool:
    """Start the daemon unless it runs; whether it was started now."""
    if running(daemon.name):
        return False
    paths.logs().mkdir(parents=True, exist_ok=True)
    found = process.find(_spawn(daemon))
    if found is None:
        raise ClusterError(f"{daemon.name} ended at once; its log {log(daemon.name)} says:\n{tail(daemon.name)}")
    record = _record(daemon.name)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(asdict(found) | {"key": daemon.key}))
    return True


def _spawn(daemon: Daemon) -> int:
    """Number of the new process. In a session of its own it outlives this command, the terminal and its Ctrl-C."""
    to_log = (os.POSIX_SPAWN_OPEN, 1, str(log(daemon.name)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), to_log, (os.POSIX_SPAWN_DUP2, 1, 2)]
    # A lock that the caller's caller holds on an open file would live as long as the daemon.
    files += [(os.POSIX_SPAWN_CLOSE, number) for number in _inherited()]
    environment = os.environ | {"PATH": debian.search_path()}
    return os.posix_spawn(daemon.argv[0], daemon.argv, environment, file_actions=files, setsid=True)


def _inherited() -> list[int]:
    """Open files beyond the standard three that a new process would share with this one."""
    found = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return [number for number in found if number > 2 and _inheritable(number)]


def _inheritable(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:  # the one that listed the folder is closed again
        return False


def recorded() -> dict[str, process.Process]:
    """Every daemon ever started and not stopped, running or not."""
    found = {}
    for file in sorted((paths.run() / "daemons").glob("*.json")):
        content = json.loads(file.read_text())
        found[file.stem] = process.Process(content["pid"], content["started"])
    return found


def running(name: str) -> process.Process | None:
    """The daemon's process if it runs."""
    found = recorded().get(name)
    return found if found and process.running(found) else None


def changed(daemon: Daemon) -> bool:
    """Whether the daemon runs, but was started otherwise than it would be now."""
    return running(daemon.name) is not None and json.loads(_record(daemon.name).read_text())["key"] != daemon.key


def stop(names: list[str], grace: float) -> None:
    """End the named daemons together, with `grace` seconds between the asking and the killing."""
    known = recorded()
    process.end([known[name] for name in names if name in known], grace)
    for name in names:
        _record(name).unlink(missing_ok=True)


def _record(name: str) -> Path:
    return paths.run() / "daemons" / f"{name}.json"


def log(name: str) -> Path:
    """The daemon's log."""
    return paths.logs() / f"{name}.log"


def tail(name: str) -> str:
    """The log's last lines."""
    try:
        return "\n".join(log(name).read_text(errors="replace").splitlines()[-LOG_LINES:])
    except FileNotFoundError:
        return "(no log)"
