"""Builds the pinned Go programs into the cache and links them into bin/."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import paths, pins, sources
from .command import advice, output
from .errors import ClusterError
from .locks import held
from .terminal import step

# Static and reproducible: the same pins give the same bytes in every checkout.
BUILD_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off"}


def build(names: list[str]) -> dict[str, Path]:
    """Build what is not cached yet, link everything into bin/, and return each binary's path.

    Raises:
        ClusterError: unknown names, a machine that cannot build, or a failed build.
    """
    units = pins.select(names)
    if any(unit.groups == ("cluster",) for unit in units):
        require_linux()
    binaries: dict[str, Path] = {}
    for unit in units:
        folder = published(unit)
        binaries |= {binary: folder / binary for binary, _ in unit.binaries}
    link(binaries)
    return binaries


def published(unit: pins.Unit) -> Path:
    """Folder with the unit's binaries, built now when the cache lacks it."""
    folder = paths.tools() / f"{unit.name}-{key(unit)}"
    if _complete(unit, folder):
        return folder
    with held(paths.tools() / ".lock", "building tools"):
        if not _complete(unit, folder):  # another checkout may have built it while this one waited
            shutil.rmtree(folder, ignore_errors=True)
            names = ", ".join(binary for binary, _ in unit.binaries)
            with step(f"building {names} from the Go module proxy", f"built {names}"):
                _build(unit, folder)
    return folder


def has_go() -> bool:
    """Whether a Go toolchain is on PATH."""
    return shutil.which("go") is not None


def cached(unit: pins.Unit) -> bool:
    """Whether the unit's binaries are in the cache."""
    return _complete(unit, paths.tools() / f"{unit.name}-{key(unit)}")


def _complete(unit: pins.Unit, folder: Path) -> bool:
    return all((folder / binary).exists() for binary, _ in unit.binaries)


def _build(unit: pins.Unit, target: Path) -> None:
    # Of a build that was killed: whoever builds holds the lock. Without it this would take a running build's programs.
    for abandoned in paths.tools().glob(".building-*"):
        shutil.rmtree(abandoned)
    flags = pins.linker_flags(unit, (pins.module_folder(unit) / "go.mod").read_text())
    # The rename publishes all of a unit's binaries or none: an interrupted build leaves only a .building folder.
    with tempfile.TemporaryDirectory(prefix=".building-", dir=paths.tools()) as scratch:
        complete = Path(scratch) / unit.name
        complete.mkdir()
        environment = os.environ | BUILD_ENVIRONMENT
        folder = sources.build_folder(unit, Path(scratch), environment)
        for binary, package in unit.binaries:
            argv = ["go", "build", "-ldflags", flags, "-o", complete / binary, package]
            output(argv, f"build {binary}", cwd=folder, env=environment)
        complete.rename(target)


def key(unit: pins.Unit) -> str:
    """Twelve hex digits over everything that decides the unit's bytes."""
    folder = pins.module_folder(unit)
    files = [folder / "go.mod", folder / "go.sum"]
    for _, package in unit.binaries:
        if package.startswith("."):
            files += sorted((folder / package).glob("*.go"))
    flags = pins.linker_flags(unit, (folder / "go.mod").read_text())
    facts = [flags, str(unit.binaries), str(BUILD_ENVIRONMENT), go_version(), platform.system(), platform.machine()]
    return digest([file.read_bytes() for file in files] + [fact.encode() for fact in [*facts, *unit.absent]])


def digest(parts: Iterable[bytes]) -> str:
    """Twelve hex digits; the length of each part counts, so that no two lists of parts look alike."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:12]


_GO_VERSION: list[str] = []


def go_version() -> str:
    """The Go toolchain in effect for tests/tools, for example go1.26.8.

    Raises:
        ClusterError: when there is no Go, or it is too old and may not fetch a newer one.
    """
    if not _GO_VERSION:
        if shutil.which("go") is None:
            raise ClusterError(f"Go is missing: {advice('go')}")
        folder = paths.TOOLS_SOURCE / "kubernetes"
        done = subprocess.run(["go", "env", "GOVERSION"], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not done.stdout.strip():
            raise ClusterError(f"Go is too old for {folder / 'go.mod'}: {done.stderr.strip()}; {advice('go')}")
        _GO_VERSION.append(done.stdout.strip())
    return _GO_VERSION[0]


def require_linux() -> None:
    """Raise ClusterError unless this is Linux on amd64, the one platform the packaged cluster knows."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise ClusterError(
            f"the packaged cluster runs on Linux on x86_64, this is {platform.system()} on {platform.machine()};"
            " run with CLUSTER=kind where there is Docker, or use a Linux machine or virtual machine"
        )


def link(binaries: dict[str, Path]) -> None:
    """Point bin/<name> of this checkout at the cached binaries."""
    paths.BIN.mkdir(exist_ok=True)
    for name, target in binaries.items():
        place = paths.BIN / name
        if place.is_symlink() and place.readlink() == target:
            continue
        fresh = paths.BIN / f".{name}.{os.getpid()}"
        fresh.symlink_to(target)
        fresh.replace(place)
