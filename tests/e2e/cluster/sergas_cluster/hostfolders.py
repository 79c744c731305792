"""Folders outside ours whose paths Kubernetes and containerd have fixed: what we put there is taken out again."""

import contextlib
import hashlib
import json
from pathlib import Path

from . import paths, runtime

FOLDERS = (
    Path("/run/containerd"),
    Path("/usr/libexec/kubernetes"),
    Path("/var/lib/cni"),
    Path("/var/lib/kubelet"),
    Path("/var/log/containers"),
)
SHIM_SOCKETS = Path("/run/containerd/s")
NETWORK_RESULTS = Path("/var/lib/cni/results")
LOG_LINKS = Path("/var/log/containers")
DEVICE_SOCKET = Path("/var/lib/kubelet/device-plugins/kubelet.sock")


def _file() -> Path:
    return paths.run() / "absent-folders.json"


def remember() -> None:
    """Note which of FOLDERS are not there yet, once in a cluster's life."""
    if not _file().exists():
        _file().write_text(json.dumps([str(folder) for folder in FOLDERS if not folder.exists()]))


def clear(containers: set[str]) -> None:
    """Remove the files of our containers (ids) and our kubelet, then the folders that we were the first to need."""
    absent = [Path(name) for name in json.loads(_file().read_text())] if _file().exists() else []
    for container in containers:
        (SHIM_SOCKETS / socket_name(container)).unlink(missing_ok=True)
        for result in NETWORK_RESULTS.glob(f"*-{container}-*"):
            result.unlink(missing_ok=True)
    for link in LOG_LINKS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(paths.run()):
            link.unlink()
    if DEVICE_SOCKET.parents[1] in absent:
        DEVICE_SOCKET.unlink(missing_ok=True)
    for folder in absent:
        remove_empty(folder)


def socket_name(container: str) -> str:
    """File name of the shim's socket: containerd hashes its own socket, the namespace and the container's id."""
    return hashlib.sha256(f"{runtime.socket()}/k8s.io/{container}".encode()).hexdigest()


def remove_empty(folder: Path) -> None:
    """Remove `folder` and the folders below it as far as they hold no file, deepest first."""
    if not folder.is_dir():
        return
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            inner.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()
