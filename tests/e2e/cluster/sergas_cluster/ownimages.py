"""The project's own images, built from their Dockerfiles and tagged by what goes into them."""

import os
import tempfile
from dataclasses import dataclass
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
REGISTRY_VARIABLE = "SERGAS_E2E_REGISTRY"
IMAGES_VARIABLE = "SERGAS_E2E_IMAGES"
NO_REGISTRY = (
    f"CLUSTER=existing pulls images from a registry: set {REGISTRY_VARIABLE} to one you may push to and the cluster may"
    f" pull from, for example ghcr.io/<you>; or set {IMAGES_VARIABLE} to images that the cluster has or can pull, for"
    " example operator=ghcr.io/<you>/sergas-operator:1,app=...,sink=..."
)
REPOSITORY = "ghcr.io/sergas/sergas-"
REGISTRY_BASE = "pulled"
KEPT = 5  # archives of an image: a source change makes another, of about 250 MB
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


def given() -> dict[str, str]:
    """Short name to full name of the images that SERGAS_E2E_IMAGES names; empty when it is unset.

    Raises:
        ClusterError: when it does not name each image once as <short name>=<image>.
    """
    text = os.environ.get(IMAGES_VARIABLE, "")
    pairs = [part.partition("=") for part in text.split(",") if part]
    named = {short.strip(): image.strip() for short, _, image in pairs}
    if text and (len(pairs) != len(DOCKERFILES) or set(named) != set(DOCKERFILES) or not all(named.values())):
        raise ClusterError(
            f"{IMAGES_VARIABLE}={text} must name each of {', '.join(DOCKERFILES)} once, as <name>=<image>, separated by"
            " commas"
        )
    return named


@dataclass(frozen=True)
class Built:
    """An image that was built: its full name, and its archive."""

    tag: str
    archive: Path


def build(chosen: list[str]) -> dict[str, Built]:
    """Short name to image, built now by buildah where the cache lacks it."""
    return {short: _built(short, tag) for short, tag in names(chosen, pythonbase.key()).items()}


def _built(short: str, tag: str) -> Built:
    target = _target(short, tag)
    if target.exists():
        return Built(tag, target)
    with held(paths.images() / ".lock", "building images"):
        if not target.exists():
            return _build_staged(short)
    return Built(tag, target)


def _target(short: str, tag: str) -> Path:
    return paths.images() / f"sergas-{short}-{tag.rpartition('-')[2]}.tar"


def _build_staged(short: str) -> Built:
    """Build from a copy of the inputs, and name the image after the copy: somebody may be editing the originals."""
    base = pythonbase.archive()
    with tempfile.TemporaryDirectory(prefix=".context-", dir=paths.images()) as scratch:
        context = Path(scratch) / "context"
        buildcontext.stage(dockerfile(short), paths.CHECKOUT, context)
        tag = f"{REPOSITORY}{short}:dev-{buildcontext.key(context / DOCKERFILES[short], context, pythonbase.key())}"
        target = _target(short, tag)
        if not target.exists():
            with step(f"building {tag} from {DOCKERFILES[short]}", f"built {tag}"):
                _buildah_build(base, context, short, tag, target)
    _prune(short)
    return Built(tag, target)


def _prune(short: str) -> None:
    """Drop all but the newest archives of an image."""
    found = sorted(paths.images().glob(f"sergas-{short}-*.tar"), key=lambda file: file.stat().st_mtime)
    for file in found[:-KEPT]:
        file.unlink()


def kept_keys() -> set[str]:
    """Keys of the archives that are still there."""
    return {file.stem.rpartition("-")[2] for file in paths.images().glob("sergas-*.tar")}


def _buildah_build(base: Path, context: Path, short: str, tag: str, target: Path) -> None:
    _load_base(base)
    mounts = [f"--volume={path}:{path}:ro" for path in MOUNTED if Path(path).exists()]
    # Chroot isolation needs no runtime and no privileges beyond root; layers make a source-only change cheap.
    argv = [*buildah(), "build", "--quiet", "--layers", "--isolation=chroot", "--network=host", "--pull-never"]
    # One tag for all builds of an image: with an image's last tag buildah drops its layers, which are our build cache.
    latest = f"localhost/sergas-{short}:latest"
    argv += [*mounts, f"--file={context / DOCKERFILES[short]}", f"--tag={latest}", str(context)]
    output(argv, f"build {tag}", env=_environment())
    whole = context.with_name("image.tar")
    output([*buildah(), "push", "--quiet", latest, f"docker-archive:{whole}:{tag}"], f"save {tag}")
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
