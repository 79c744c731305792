"""What a cluster leaves on the machine beside its daemons, found by marks of our own, and removed.

Containers are found by the socket in their shim's command line, mounts by their path below our folder, the bridge by its
name. So another containerd, Docker or cluster on the machine is never touched.
"""

import contextlib
import shutil
import signal
from pathlib import Path

from . import debian, node, paths, process, runtime, topology
from .command import output, succeeds

CNI_RESULTS = Path("/var/lib/cni/results")
CGROUPS = Path("/sys/fs/cgroup")
KUBE_PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))


def clear() -> None:
    """Remove all of it. Every step is harmless when there is nothing left."""
    end_containers()
    _unmount_below(paths.run())
    _drop_network()
    for controller in _controllers():
        for top in ("kubepods", "k8s.io"):
            _drop_cgroup(CGROUPS / controller / top)
    node.restore_sysctls()
    shutil.rmtree(paths.run(), ignore_errors=True)


def end_containers() -> None:
    """Kill our shims and all they run."""
    shims = [pid for pid in process.pids() if _is_our_shim(process.arguments(pid))]
    victims = [pid for shim in shims for pid in (*process.descendants(shim), shim)]
    known = [found for pid in victims if (found := process.find(pid))]
    for pid in victims:
        process.kill(pid, signal.SIGKILL)
    process.wait_gone(known, grace=10)


def _is_our_shim(arguments: list[str]) -> bool:
    if not arguments or not Path(arguments[0]).name.startswith("containerd-shim"):
        return False
    return ("-address", str(runtime.socket())) in zip(arguments, arguments[1:], strict=False)


def _controllers() -> list[str]:
    """Folders below /sys/fs/cgroup with a hierarchy each: one a controller in version 1, the root in version 2."""
    return [".", *(entry.name for entry in CGROUPS.iterdir() if entry.is_dir() and not entry.is_symlink())]


def _drop_cgroup(folder: Path) -> None:
    """Remove an empty cgroup and those below it, deepest first. One that still holds processes stays: not ours."""
    if not folder.is_dir():
        return
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            inner.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """Mount points at or below `folder`, innermost first, from the text of /proc/self/mountinfo."""
    points = [line.split()[4].encode().decode("unicode_escape") for line in mountinfo.splitlines()]
    return sorted((point for point in points if Path(point).is_relative_to(folder)), reverse=True)


def _unmount_below(folder: Path) -> None:
    for point in mounts_below(folder, Path("/proc/self/mountinfo").read_text()):
        if not succeeds(["umount", point]):
            output(["umount", "--lazy", point], f"unmount {point}")


def _drop_network() -> None:
    succeeds(["ip", "link", "delete", topology.BRIDGE])
    succeeds(["ip", "address", "delete", f"{topology.NODE_ADDRESS}/32", "dev", "lo"])
    if (paths.run() / "daemons").exists():  # ours was the kube-proxy: two cannot run on one machine
        nft = debian.program("nft") or "nft"
        for family, table in KUBE_PROXY_TABLES:
            succeeds([nft, "delete", "table", family, table])
    for result in CNI_RESULTS.glob(f"{topology.NETWORK}-*"):
        result.unlink(missing_ok=True)
