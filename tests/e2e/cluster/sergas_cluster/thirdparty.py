"""Third-party images, packed from the built binaries under the names and tags of the real ones, so that unmodified
manifests run."""

from pathlib import Path

from . import paths, pins, toolbuild
from .archive import Image, write
from .command import output
from .debian import program
from .errors import ClusterError
from .terminal import say

NOBODY = "65534"
PASSWD = "root:x:0:0:root:/:/none\nnobody:x:65534:65534:nobody:/:/none\n"
GROUP = "root:x:0:\nnobody:x:65534:\n"
PAUSE = "registry.k8s.io/pause:3.10"
BUSYBOX = "docker.io/library/busybox:1.36"
UNITS = ["coredns", "pause", "alertmanager", "prometheus", "prometheus-operator", "promtool"]


def coredns_image() -> str:
    """Name of the cluster DNS image."""
    return f"registry.k8s.io/coredns/coredns:v{pins.release('coredns')}"


def archives() -> dict[str, Path]:
    """Image name to archive, written now where the cache lacks it."""
    bins = toolbuild.build(UNITS)
    images = {
        "pause": Image((PAUSE,), files={"pause": bins["pause"]}, entrypoint=("/pause",), user="65535:65535"),
        "coredns": scratch(coredns_image(), {"coredns": bins["coredns"]}, user=""),
        "alertmanager": _prometheus("alertmanager", bins, "amtool"),
        "prometheus": _prometheus("prometheus", bins, "promtool"),
        "prometheus-operator": _operator("prometheus-operator", "bin/operator", bins),
        "prometheus-config-reloader": _operator("prometheus-config-reloader", "bin/prometheus-config-reloader", bins),
        "busybox": _busybox(),
    }
    return {name: cached(name, image) for name, image in images.items()}


def cached(name: str, image: Image) -> Path:
    """The image's archive, written now where the cache lacks it."""
    target = paths.images() / f"{name}-{image_key(image)}.tar"
    if not target.exists():
        write(image, target)
        say(f"packed {image.tags[0]}")
    return target


def image_key(image: Image) -> str:
    """Twelve hex digits over the image's content. A built tool's path holds its key and stands for its bytes."""
    others = [source for source in image.files.values() if not source.is_relative_to(paths.tools())]
    facts = [repr(sorted(vars(image).items())).encode()]
    return toolbuild.digest(facts + [source.read_bytes() for source in others])


def scratch(tag: str, files: dict[str, Path], *, user: str = NOBODY, workdir: str = "") -> Image:
    """An image of static programs, the first of which is its entrypoint, and nothing else."""
    return Image(
        (tag,),
        files=files,
        texts={"etc/passwd": PASSWD, "etc/group": GROUP},
        folders={"tmp": 0o1777} | ({workdir: 0o777} if workdir else {}),
        entrypoint=("/" + next(iter(files)),),
        user=user,
        workdir=workdir,
    )


def _prometheus(name: str, bins: dict[str, Path], tool: str) -> Image:
    tag = f"quay.io/prometheus/{name}:v{pins.release(name)}"
    return scratch(tag, {f"bin/{name}": bins[name], f"bin/{tool}": bins[tool]}, workdir=f"/{name}")


def _operator(name: str, inside: str, bins: dict[str, Path]) -> Image:
    tag = f"quay.io/prometheus-operator/{name}:v{pins.release('prometheus-operator')}"
    return scratch(tag, {inside: bins[name]})


def _busybox() -> Image:
    busybox = program("busybox")
    if busybox is None:
        raise ClusterError("busybox is missing: type `python tests/e2e/cluster packages`")
    applets = [name for name in output([busybox, "--list"], "list busybox's programs").split() if name != "busybox"]
    return Image(
        (BUSYBOX,),
        files={"bin/busybox": Path(busybox)},
        links={f"bin/{applet}": "busybox" for applet in applets},
        texts={"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": GROUP},
        folders={"tmp": 0o1777, "root": 0o700},
        command=("sh",),
    )
