"""A stand-in for docker.io/library/python:3.11-slim, made from Debian 12's packages: Python 3.11 and pip as `python`
and `pip` on PATH. Used only where no registry can be reached; elsewhere the real one is pulled."""

import os
import tempfile
from pathlib import Path

from . import paths, toolbuild
from .archive import Image, write
from .command import output
from .terminal import step

TAG = "docker.io/library/python:3.11-slim"
SUITE = "bookworm"  # the Debian release whose Python is 3.11
PACKAGES = ("python3", "python3-pip", "python3-venv", "ca-certificates")
UNWANTED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
# pip may install into the image's own Python, as in the real image (PEP 668 marker removed); no leftovers of apt.
FINISH = (
    'ln -s /usr/bin/python3 "$1/usr/local/bin/python"; rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED;'
    ' rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*'
)


def key() -> str:
    """Twelve hex digits over the recipe. Debian's package versions are not part of it: the archive is made once."""
    return toolbuild.digest(part.encode() for part in (TAG, SUITE, FINISH, *PACKAGES, *UNWANTED))


def archive() -> Path:
    """The base image's archive, made now where the cache lacks it (about 30 s)."""
    target = paths.images() / f"python-{key()}.tar"
    if not target.exists():
        with step(f"making the base image {TAG} from Debian packages", f"made {TAG}"):
            _make(target)
    return target


def _make(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".python-", dir=target.parent) as scratch:
        rootfs = Path(scratch) / "rootfs.tar"
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in UNWANTED]
        argv += [f"--customize-hook={FINISH}", SUITE, str(rootfs)]
        # A fixed epoch makes file times, and with them the image's digest, depend on package versions alone.
        output(argv, f"make {TAG}", env=os.environ | {"SOURCE_DATE_EPOCH": "0"})
        write(Image((TAG,), rootfs=rootfs, command=("python3",), environment=("LANG=C.UTF-8",)), target)
