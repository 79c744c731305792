"""What must hold before anything is built: a cold build takes a quarter to half an hour, and is refused before it."""

import os
import shutil
from pathlib import Path

from . import debian, guard, kindcluster, ownimages, packaged, paths, pins, ports, toolbuild
from .errors import ClusterError

GIGABYTE = 10**9
# Measured after a cold build of everything: Go's build cache 8.5 GB and module cache 4.5 GB, programs 1.1 GB, images
# 0.8 GB, buildah's layers 0.7 GB.
COLD_BYTES = 16 * GIGABYTE
# containerd unpacks the images (2 GB), and the demo's volumes and logs come on top.
WARM_BYTES = 3 * GIGABYTE


def check(cluster: str) -> None:
    """Check everything that can be known without building or installing.

    Raises:
        ClusterError: the first thing that is missing, and what to do about it.
    """
    if cluster == "packaged":
        debian.require_root()
        toolbuild.require_linux()
        debian.require_apt()
        if debian.program("ss") and not packaged.alive():
            ports.require_free()
    elif cluster == "kind":
        kindcluster.require_docker()
    else:
        _require_settings()
    _require_space(cluster)


def _require_settings() -> None:
    """Raise ClusterError unless CLUSTER=existing knows its context and its images."""
    if not os.environ.get(guard.VARIABLE):
        raise ClusterError(
            f"CLUSTER=existing needs the context's name, so that no other cluster is touched: set {guard.VARIABLE}"
        )
    if not ownimages.given() and not os.environ.get(ownimages.REGISTRY_VARIABLE):
        raise ClusterError(ownimages.NO_REGISTRY)


def _require_space(cluster: str) -> None:
    group = {"packaged": "cluster"}.get(cluster, "docker")
    cold = not all(toolbuild.cached(unit) for unit in pins.select([group])) if toolbuild.has_go() else True
    needed = COLD_BYTES if cold and cluster == "packaged" else WARM_BYTES
    place = _existing(paths.cache_root())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise ClusterError(
            f"{place} has {free / GIGABYTE:.1f} GB free, and {needed / GIGABYTE:.0f} GB are needed"
            f" {'to build and run' if cold else 'to run'} the {cluster} cluster; free some, or set XDG_CACHE_HOME to a"
            " folder with more"
        )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
