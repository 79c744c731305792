"""The packaged cluster: `up` starts or heals it, `down` ends it."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import (
    addons,
    bridge,
    controlplane,
    daemons,
    debian,
    exporterimages,
    leftovers,
    node,
    ownimages,
    paths,
    pki,
    ports,
    runtime,
    thirdparty,
    toolbuild,
    topology,
)
from .daemons import Daemon
from .errors import ClusterError
from .locks import held
from .terminal import say
from .waiting import until

LOCK = "lock"
STOP_GRACE_SECONDS = 3.0  # the state is thrown away: no need to be gentle


def up() -> None:
    """Start the cluster, or complete and heal the one there is.

    Returns when DNS and prometheus-operator are ready and a pod has reached a Service.

    Raises:
        ClusterError: what is missing, in the way, or did not start.
    """
    debian.require_root()
    toolbuild.require_linux()
    debian.install()
    if not alive():
        ports.require_free()  # before the builds, which may take minutes
    bins = toolbuild.build(["cluster"])
    archives = list(thirdparty.archives().values())
    with held(paths.cluster() / LOCK, "the cluster"):
        started = time.monotonic()
        _settle(bins)
        _write_origin()
        changes = _start(bins, archives)
        say(f"cluster {topology.CONTEXT} {changes} in {time.monotonic() - started:.1f} s")


def _all_daemons(bins: dict[str, Path]) -> tuple[Daemon, ...]:
    return (*controlplane.daemons(bins), runtime.daemon(), *node.daemons(bins))


def alive() -> list[str]:
    """Names of the daemons that run."""
    return [name for name in daemons.recorded() if daemons.running(name)]


def _settle(bins: dict[str, Path]) -> None:
    """Leave either a cluster of these pins that lacks some daemons at most, or nothing."""
    running = alive()
    if paths.run().exists() and not running:
        say("the last cluster was not taken down; clearing what it left, and starting a new one")
        _clear()
    changed = [daemon.name for daemon in _all_daemons(bins) if daemons.changed(daemon)]
    if changed:
        raise ClusterError(
            f"a cluster with other versions or settings of {', '.join(changed)} runs, started from {_origin()};"
            " take it down first: python tests/e2e/cluster down"
        )
    if running and _origin() != str(paths.CHECKOUT):
        say(f"using the cluster that {_origin()} started: it has the same versions")


def _origin_file() -> Path:
    return paths.run() / "checkout"


def _origin() -> str:
    return _origin_file().read_text().strip() if _origin_file().exists() else "an unknown checkout"


def _write_origin() -> None:
    paths.run().mkdir(parents=True, exist_ok=True)
    if not _origin_file().exists():
        _origin_file().write_text(f"{paths.CHECKOUT}\n")


def _start(bins: dict[str, Path], archives: list[Path]) -> str:
    """Start what does not run, side by side where nothing depends on it; a word for what happened."""
    pki.make()
    node.write_configuration()
    node.prepare_kernel()
    etcd, api, *managers = controlplane.daemons(bins)
    started = _start_missing(etcd, runtime.daemon(), api)
    with ThreadPoolExecutor() as pool:
        images = pool.submit(_images, archives)
        until(addons.api_ready, "API server", 60, ("etcd", "kube-apiserver"))
        started += _start_missing(*managers)
        definitions = pool.submit(addons.apply_definitions)
        addons.apply_node_objects()
        images.result()
        started += _start_missing(*node.daemons(bins))
        until(addons.node_ready, "node that is Ready", 60, ("kubelet", "containerd", "kube-apiserver"))
        definitions.result()
    addons.apply_operator()
    addons.mark_applied()
    addons.wait_ready()
    until(bridge.service_reached, "connection from a pod to a Service", 30, ("kube-proxy", "containerd"))
    _require_alive(_all_daemons(bins))
    if len(started) == len(_all_daemons(bins)):
        return "started"
    return f"healed ({', '.join(started)} had died)" if started else "was up already; checked"


def _require_alive(wanted: tuple[Daemon, ...]) -> None:
    """Raise ClusterError when a daemon started and then died."""
    for daemon in wanted:
        if daemons.running(daemon.name) is None:
            raise ClusterError(
                f"{daemon.name} died; {daemons.log(daemon.name)} ends:\n{daemons.tail(daemon.name)}\n"
                "type `python tests/e2e/cluster up` to start it again"
            )


def _start_missing(*wanted: Daemon) -> list[str]:
    """Names of those that did not run and were started."""
    return [daemon.name for daemon in wanted if daemons.start(daemon)]


def _images(archives: list[Path]) -> None:
    until(runtime.answers, "containerd", 30, ("containerd",))
    runtime.load(archives)


def down(*, everything: bool) -> None:
    """End the cluster and remove all it left on the machine; `everything` drops the image store too."""
    debian.require_root()
    with held(paths.cluster() / LOCK, "the cluster"):
        started = time.monotonic()
        was_there = paths.run().exists()
        _clear()
        if everything:
            shutil.rmtree(paths.store(), ignore_errors=True)
        state = "is down" if was_there else "was down already"
        say(f"cluster {topology.CONTEXT} {state} ({time.monotonic() - started:.1f} s)")


def _clear() -> None:
    known, containers = list(daemons.recorded()), leftovers.containers()
    # The node first: a kubelet that lives would start again what is being killed.
    first = [name for name in known if name in {"kubelet", "kube-proxy", "local-volumes"}]
    daemons.stop(first, STOP_GRACE_SECONDS)
    leftovers.end_containers()
    daemons.stop([name for name in known if name not in first], STOP_GRACE_SECONDS)
    leftovers.clear(containers)


def status() -> dict[str, object]:
    """Facts about the cluster: what `status --json` prints."""
    alive = {name: daemons.running(name) is not None for name in daemons.recorded()}
    return {
        "context": topology.CONTEXT,
        "running": bool(alive) and all(alive.values()),
        "ready": bool(alive) and all(alive.values()) and addons.api_ready() and addons.node_ready(),
        "daemons": alive,
        "server": topology.SERVER,
        "kubeconfig": str(paths.kubeconfig()),
        "auditLog": str(paths.audit_log()),
        "logs": str(paths.logs()),
        "startedFrom": _origin() if alive else "",
    }


def images(chosen: list[str]) -> dict[str, str]:
    """Build the project's images whose inputs changed, and load them when the cluster runs; short name to full name.

    Raises:
        ClusterError: when a Dockerfile is missing or a build fails.
    """
    debian.require_root()
    debian.install()
    built = ownimages.build(chosen)
    names = {short: image.tag for short, image in built.items()}
    with held(paths.cluster() / LOCK, "the cluster"):
        if daemons.running("containerd") is None:
            say("the cluster is down: the images are built; `images` loads them once it is up")
            return names
        for archive in runtime.load([image.archive for image in built.values()]):
            say(f"loaded {archive.name} into the cluster")
        runtime.forget_images(ownimages.REPOSITORY, ownimages.kept_keys(), addons.images_in_use())
    return names


def exporters() -> dict[str, str]:
    """Build the images of the exporters and databases, and load them when the cluster runs; short name to full name.

    Raises:
        ClusterError: when a build fails.
    """
    debian.require_root()
    debian.install()
    archives = exporterimages.archives()
    with held(paths.cluster() / LOCK, "the cluster"):
        if daemons.running("containerd") is None:
            say("the cluster is down: the images are built; `exporters` loads them once it is up")
        else:
            for archive in runtime.load(archives):
                say(f"loaded {archive.name} into the cluster")
    return exporterimages.names()
