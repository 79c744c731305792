"""The project's own images, built from their Dockerfiles and tagged by what goes into them."""

import os
import tempfile
from pathlib import Path

from . import buildcontext, paths, pythonbase
from .command import output, succeeds
from .errors import ClusterError
from .locks import held
from .terminal import step

DOCKERFILES = {
    "operator": "operator/Dockerfile",
    "app": "examples/sergas-app/Dockerfile",
    "sink": "examples/demo/sink/Dockerfile",
}
REPOSITORY = "ghcr.io/sergas/sergas-"
REGISTRY_BASE = "pulled"
KEPT = 3  # archives of an image: a source change makes another, of about 250 MB
# pip inside a build needs the machine's certificates, index settings and name servers, where it has any.
MOUNTED = ("/etc/ssl/certs", "/etc/pip.conf", "/etc/resolv.conf")


def names(chosen: list[str], base: str) -> dict[str, str]:
    """Short name to full image name with tag, without building; all images when none is chosen.

    `base` is the base image the build starts from: pythonbase.key() for the stand-in, REGISTRY_BASE for the real one.

    Raises:
        ClusterError: unknown image, or its Dockerfile is missing.
    """
    return {short: _tag(short, dockerfile(short), base) for short in _chosen(chosen)}


def _chosen(chosen: list[str]) -> list[str]:
    for short in chosen:
        if short not in DOCKERFILES:
            raise ClusterError(f"there is no image {short!r}; write one of {', '.join(DOCKERFILES)}")
    return chosen or list(DOCKERFILES)


def dockerfile(short: str) -> Path:
    """The image's Dockerfile.

    Raises:
        ClusterError: when it does not exist.
    """
    path = paths.CHECKOUT / DOCKERFILES[short]
    if not path.exists():
        others = [name for name, file in DOCKERFILES.items() if (paths.CHECKOUT / file).exists()]
        raise ClusterError(
            f"the image {short} cannot be built: {DOCKERFILES[short]} does not exist;"
            f" name the images to build, of those that can be built: {', '.join(others) or 'none'}"
        )
    return path


def _tag(short: str, file: Path, base: str) -> str:
    return f"{REPOSITORY}{short}:dev-{buildcontext.key(file, paths.CHECKOUT, base)}"


def archives(chosen: list[str]) -> dict[str, Path]:
    """Short name to archive, built now by buildah where the cache lacks it."""
    return {short: _archive(short, tag) for short, tag in names(chosen, pythonbase.key()).items()}


def name_of(short: str, archive: Path) -> str:
    """The full name of the image in one of our archives."""
    return f"{REPOSITORY}{short}:dev-{archive.stem.rpartition('-')[2]}"


def _archive(short: str, tag: str) -> Path:
    target = paths.images() / f"sergas-{short}-{tag.rpartition('-')[2]}.tar"
    if target.exists():
        return target
    with held(paths.images() / ".lock", "building images"):
        if not target.exists():
            base = pythonbase.archive()
            with step(f"building {tag} from {DOCKERFILES[short]}", f"built {tag}"):
                _buildah_build(base, short, tag, target)
            _prune(short)
    return target


def _prune(short: str) -> None:
    """Drop all but the newest archives of an image."""
    found = sorted(paths.images().glob(f"sergas-{short}-*.tar"), key=lambda file: file.stat().st_mtime)
    for file in found[:-KEPT]:
        file.unlink()


def kept_keys() -> set[str]:
    """Keys of the archives that are still there."""
    return {file.stem.rpartition("-")[2] for file in paths.images().glob("sergas-*.tar")}


def _buildah_build(base: Path, short: str, tag: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".context-", dir=target.parent) as scratch:
        context, whole = Path(scratch) / "context", Path(scratch) / "image.tar"
        buildcontext.stage(dockerfile(short), paths.CHECKOUT, context)
        _load_base(base)
        mounts = [f"--volume={path}:{path}:ro" for path in MOUNTED if Path(path).exists()]
        # Chroot isolation needs no runtime and no privileges beyond root; layers make a source-only change cheap.
        argv = [*buildah(), "build", "--quiet", "--layers", "--isolation=chroot", "--network=host", "--pull-never"]
        argv += [*mounts, f"--file={context / DOCKERFILES[short]}", f"--tag={tag}", str(context)]
        output(argv, f"build {tag}", env=_environment())
        output([*buildah(), "push", "--quiet", tag, f"docker-archive:{whole}:{tag}"], f"save {tag}")
        output([*buildah(), "rmi", tag], f"untag {tag}")  # its layers stay as long as a later build uses them
        whole.rename(target)


def _load_base(base: Path) -> None:
    marker = f"localhost/sergas-base:{pythonbase.key()}"
    if succeeds([*buildah(), "inspect", "--type=image", marker]):
        return
    output([*buildah(), "pull", "--quiet", f"docker-archive:{base}"], f"load {base.name}")
    output([*buildah(), "tag", pythonbase.TAG, marker], f"tag {pythonbase.TAG}")


def buildah() -> list[str]:
    """buildah with a store of its own, so that it never meets the user's."""
    store = paths.buildah()
    return ["buildah", f"--root={store / 'store'}", f"--runroot={store / 'run'}", "--storage-driver=overlay"]


def _environment() -> dict[str, str]:
    # The user's registries and policy must not decide a build that pulls nothing.
    return os.environ | {"BUILDAH_FORMAT": "docker"}
