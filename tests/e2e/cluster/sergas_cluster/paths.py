"""Where things live: the checkout holds sources, everything built or running lives outside it.

~/.cache/sergas-monitoring/         ($XDG_CACHE_HOME is honoured)
  tools/<unit>-<key>/               built binaries, one folder for each build unit and key
  images/<name>-<key>.tar           image archives
  buildah/                          layers of the project's own images
  cluster/store/                    containerd's image store; kept by `down`, dropped by `down --all`
  cluster/run/                      the running cluster: state, logs, kubeconfig; dropped by `down`
"""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[4]
TOOLS_SOURCE = CHECKOUT / "tests" / "tools"
CLUSTER_SOURCE = Path(__file__).resolve().parents[1]
MANIFESTS = CLUSTER_SOURCE / "manifests"
BIN = CHECKOUT / "bin"


def cache_root() -> Path:
    """Folder of everything this command builds and runs, shared by all checkouts of a user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "sergas-monitoring"


def tools() -> Path:
    """Built binaries."""
    return cache_root() / "tools"


def images() -> Path:
    """Image archives."""
    return cache_root() / "images"


def buildah() -> Path:
    """Layer store of the project's own images."""
    return cache_root() / "buildah"


def cluster() -> Path:
    """State of the packaged cluster."""
    return cache_root() / "cluster"


def run() -> Path:
    """State that lives as long as one cluster does."""
    return cluster() / "run"


def store() -> Path:
    """containerd's image store, which outlives a cluster."""
    return cluster() / "store"


def logs() -> Path:
    """One log a daemon, and the audit log."""
    return run() / "log"


def kubeconfig() -> Path:
    """The administrator's kubeconfig of the packaged cluster."""
    return run() / "kubeconfig"


def audit_log() -> Path:
    """Every write to the API server, one JSON object a line."""
    return logs() / "audit.log"
