"""containerd: its configuration, and the images it holds."""

import json
import subprocess
from pathlib import Path

from . import debian, paths, topology
from .command import output
from .daemons import Daemon
from .errors import ClusterError
from .thirdparty import PAUSE

# The kernel's limit for a Unix socket's path, less the ending NUL: `man 7 unix`.
SOCKET_PATH_LIMIT = 107


def socket() -> Path:
    """containerd's socket.

    Raises:
        ClusterError: when its path is too long for a socket.
    """
    path = paths.run() / "containerd.sock"
    if len(str(path)) > SOCKET_PATH_LIMIT:
        raise ClusterError(
            f"{path} is too long for a socket ({len(str(path))} of at most {SOCKET_PATH_LIMIT} characters);"
            " set XDG_CACHE_HOME to a shorter folder"
        )
    return path


def daemon() -> Daemon:
    """containerd, with our own root, state and socket: an installed containerd is not touched."""
    program = debian.program("containerd")
    if program is None:
        raise ClusterError("containerd is missing: type `python tests/e2e/cluster packages`")
    return Daemon("containerd", (program, "--config", str(config_file())), configuration())


def config_file() -> Path:
    """Where configuration() is written."""
    return paths.run() / "containerd.toml"


def configuration() -> str:
    """containerd.toml.

    `restrict_oom_score_adj`: root of a virtual machine or container without CAP_SYS_RESOURCE may not lower a score, and
    every pod would fail. `netns_mounts_under_state_dir`: what is mounted can be told from other containerds' mounts.
    """
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    snapshotters = ", ".join(f'"io.containerd.snapshotter.v1.{n}"' for n in ("aufs", "btrfs", "devmapper", "zfs"))
    return f"""version = 2
root = "{paths.store()}"
state = "{paths.run() / "containerd"}"
disabled_plugins = [{snapshotters}]

[grpc]
address = "{socket()}"

[{cri}]
sandbox_image = "{PAUSE}"
disable_apparmor = true
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[{cri}.cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{network_file().parent}"

[{cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "{paths.run() / "runc"}"
"""


def network_file() -> Path:
    """Where network() is written."""
    return paths.run() / "cni" / f"10-{topology.NETWORK}.conflist"


def network() -> str:
    """The pod network: a bridge, addresses from the node's range, no way out and no policies."""
    bridge = {
        "type": "bridge",
        "bridge": topology.BRIDGE,
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(paths.run() / "addresses"),
            "ranges": [[{"subnet": topology.NODE_PODS}]],
        },
    }
    return json.dumps({"cniVersion": "1.0.0", "name": topology.NETWORK, "plugins": [bridge]}, indent=1)


def ctr(*arguments: str | Path) -> list[str]:
    """A call of containerd's client, in the kubelet's namespace."""
    return [debian.program("ctr") or "ctr", "--address", str(socket()), "--namespace", "k8s.io", *map(str, arguments)]


def load(archives: list[Path]) -> list[Path]:
    """Import the archives that the store lacks; which those were. The file name holds the content's key."""
    loaded = []
    for archive in archives:
        marker = paths.store() / "loaded" / archive.name
        if not marker.exists():
            output(ctr("images", "import", archive), f"load {archive.name} into containerd")
            marker.parent.mkdir(exist_ok=True)
            marker.touch()
            loaded.append(archive)
    return loaded


def tag(name: str, other: str) -> None:
    """Give an image of the store another name."""
    output(ctr("images", "tag", "--force", name, other), f"tag {name} as {other}")


def forget_images(repository: str, keys: set[str], used: set[str]) -> None:
    """Remove the images under `repository` that no pod uses and whose tag does not end in one of `keys`."""
    for name in output(ctr("images", "list", "--quiet"), "list images").split():
        if name.startswith(repository) and name not in used and name.rpartition("-")[2] not in keys:
            output(ctr("images", "remove", name), f"remove {name}")


def answers() -> bool:
    """Whether containerd serves its socket."""
    if not socket().exists():
        return False
    return subprocess.run(ctr("version"), capture_output=True, check=False).returncode == 0
