"""What a cluster leaves on the machine beside its daemons, found by marks of our own, and removed.

Containers are found by the socket in their shim's command line, mounts by their path below our folder, the bridge by
its name. So another containerd, Docker or cluster on the machine is never touched.
"""

import shutil
import signal
from itertools import pairwise
from pathlib import Path

from . import bridge, debian, hostfolders, mounts, node, paths, process, runtime, topology
from .command import succeeds

CGROUPS = Path("/sys/fs/cgroup")
KUBE_PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))


def clear(containers: set[str]) -> None:
    """Remove all of it, given containers() from before the end. Every step is harmless when there is nothing left."""
    end_containers()
    mounts.drop_below(paths.run())
    _drop_network()
    for controller in _controllers():
        for top in ("kubepods", "k8s.io"):
            hostfolders.remove_empty(CGROUPS / controller / top)  # one that holds processes is not ours, and stays
    hostfolders.clear(containers)
    node.restore_sysctls()
    bridge.unload()
    shutil.rmtree(paths.run(), ignore_errors=True)


def end_containers() -> None:
    """Kill our shims and all they run."""
    shims = [pid for pid in process.pids() if _is_our_shim(process.arguments(pid))]
    victims = [pid for shim in shims for pid in (*process.descendants(shim), shim)]
    known = [found for pid in victims if (found := process.find(pid))]
    for pid in victims:
        process.kill(pid, signal.SIGKILL)
    process.wait_gone(known, grace=10)


def containers() -> set[str]:
    """Ids of all containers, from the folders containerd keeps of them."""
    return {folder.name for folder in (paths.run() / "containerd").glob("io.containerd.runtime.v2.task/k8s.io/*")}


def _is_our_shim(arguments: list[str]) -> bool:
    if not arguments or not Path(arguments[0]).name.startswith("containerd-shim"):
        return False
    return ("-address", str(runtime.socket())) in pairwise(arguments)


def _controllers() -> list[str]:
    """Folders below /sys/fs/cgroup with a hierarchy each: one a controller in version 1, the root in version 2."""
    return [".", *(entry.name for entry in CGROUPS.iterdir() if entry.is_dir() and not entry.is_symlink())]


def _drop_network() -> None:
    succeeds(["ip", "link", "delete", topology.BRIDGE])
    succeeds(["ip", "address", "delete", f"{topology.NODE_ADDRESS}/32", "dev", "lo"])
    if (paths.run() / "daemons").exists():  # ours was the kube-proxy: two cannot run on one machine
        nft = debian.program("nft") or "nft"
        for family, table in KUBE_PROXY_TABLES:
            succeeds([nft, "delete", "table", family, table])
