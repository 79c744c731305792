"""The project's own images, built from their Dockerfiles and tagged by what goes into them."""

import os
import tempfile
from pathlib import Path

from . import buildcontext, paths, pythonbase
from .command import output, succeeds
from .locks import held
from .problem import Problem
from .terminal import step

DOCKERFILES = {
    "operator": "operator/Dockerfile",
    "app": "examples/sergas-app/Dockerfile",
    "sink": "examples/demo/sink/Dockerfile",
}
# pip inside a build needs the machine's certificates, index settings and name servers, where it has any.
MOUNTED = ("/etc/ssl/certs", "/etc/pip.conf", "/etc/resolv.conf")


def names(chosen: list[str] | None = None) -> dict[str, str]:
    """Short name to full image name with tag, without building.

    Raises:
        Problem: unknown image, or its Dockerfile is missing.
    """
    return {short: _tag(short, _dockerfile(short)) for short in _chosen(chosen)}


def _chosen(chosen: list[str] | None) -> list[str]:
    for short in chosen or []:
        if short not in DOCKERFILES:
            raise Problem(f"there is no image {short!r}; write one of {', '.join(DOCKERFILES)}")
    return chosen or list(DOCKERFILES)


def _dockerfile(short: str) -> Path:
    path = paths.CHECKOUT / DOCKERFILES[short]
    if not path.exists():
        others = [name for name, file in DOCKERFILES.items() if (paths.CHECKOUT / file).exists()]
        raise Problem(
            f"the image {short} cannot be built: {DOCKERFILES[short]} does not exist;"
            f" name the images to build, of those that can be built: {', '.join(others) or 'none'}"
        )
    return path


def _tag(short: str, dockerfile: Path) -> str:
    return f"ghcr.io/sergas/sergas-{short}:dev-{buildcontext.key(dockerfile, paths.CHECKOUT, pythonbase.key())}"


def archives(chosen: list[str] | None = None) -> dict[str, Path]:
    """Full image name to archive, built now by buildah where the cache lacks it."""
    return {tag: _archive(short, tag) for short, tag in names(chosen).items()}


def _archive(short: str, tag: str) -> Path:
    target = paths.images() / f"sergas-{short}-{tag.rpartition('-')[2]}.tar"
    if target.exists():
        return target
    with held(paths.images() / ".lock", "building images"):
        if not target.exists():
            base = pythonbase.archive()
            with step(f"building {tag} from {DOCKERFILES[short]}", f"built {tag}"):
                _buildah_build(base, short, tag, target)
    return target


def _buildah_build(base: Path, short: str, tag: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".context-", dir=target.parent) as scratch:
        context, whole = Path(scratch) / "context", Path(scratch) / "image.tar"
        buildcontext.stage(_dockerfile(short), paths.CHECKOUT, context)
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
