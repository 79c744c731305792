"""The Debian packages that are needed beside the Go binaries."""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from .command import output
from .errors import ClusterError
from .terminal import step

# Program that proves the package, and the package. Checked by program: a machine may have it from elsewhere.
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ss": "iproute2",
    "mount": "mount",
    "openssl": "openssl",
    "busybox": "busybox-static",
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
}
GITOPS = {"redis-server": "redis-server", "git": "git"}
"""The same, for Argo CD's tests; Redis is run by them and need not run as a service."""

# Daemon programs live in sbin, which the PATH of a plain login shell on Debian lacks.
SEARCH = os.pathsep.join(["/usr/local/sbin", "/usr/sbin", "/sbin"])


def search_path() -> str:
    """PATH with Debian's sbin folders."""
    return os.environ.get("PATH", "") + os.pathsep + SEARCH


def program(name: str) -> str | None:
    """Absolute path of a program, None when it is missing."""
    if name.startswith("/"):
        return name if Path(name).exists() else None
    return shutil.which(name, path=search_path())


def missing(wanted: Mapping[str, str] = PACKAGES) -> list[str]:
    """Packages to install, sorted."""
    return sorted({package for name, package in wanted.items() if program(name) is None})


def install(needed: Mapping[str, str] = PACKAGES) -> None:
    """Install what is missing.

    Raises:
        ClusterError: when packages are missing and this is not root on Debian; gives the line to type.
    """
    wanted = missing(needed)
    if not wanted:
        return
    line = f"apt-get update && apt-get install --yes {' '.join(wanted)}"
    require_apt(needed)
    if os.geteuid() != 0:
        raise ClusterError(f"Debian packages are missing; as root type: {line}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing Debian packages {', '.join(wanted)}", f"installed {len(wanted)} Debian packages"):
        output(["apt-get", "update", "-q"], "update the package lists", env=environment)
        argv = ["apt-get", "install", "-q", "--yes", *wanted]
        output(argv, "install Debian packages", env=environment)


def require_apt(needed: Mapping[str, str] = PACKAGES) -> None:
    """Raise ClusterError when packages are missing and there is no apt-get to install them."""
    wanted = missing(needed)
    if wanted and shutil.which("apt-get") is None:
        raise ClusterError(
            f"this {platform.system()} has no apt-get; get {', '.join(wanted)} from your system's packages"
            " (the names are Debian's), or run with CLUSTER=kind where there is Docker"
        )


def require_root() -> None:
    """Raise ClusterError unless root: the node mounts, makes networks and runs containers."""
    if os.geteuid() != 0:
        raise ClusterError(
            "the packaged cluster runs a real node and needs root; run it as root (sudo -E), in a virtual machine if"
            " in doubt, or use CLUSTER=kind where there is Docker"
        )
