"""Images made from Debian's packages by mmdebstrap: what they hold is the recipe's, their versions are Debian's."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import paths, toolbuild
from .archive import Image, write
from .command import output
from .terminal import step

SUITE = "bookworm"
# No leftovers of apt.
CLEAN = ' rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*'
DOCUMENTS = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    Attributes:
        name: of the archive.
        tags: full names with tag.
        packages: Debian packages, beside those no system is without.
        finish: shell commands that change the finished system, whose root is $1; end with CLEAN.
        unwanted: patterns of files that are not unpacked.
        command: what a pod runs that names no command.
        environment: its variables.
    """

    name: str
    tags: tuple[str, ...]
    packages: tuple[str, ...]
    finish: str = CLEAN
    unwanted: tuple[str, ...] = DOCUMENTS
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


def key(recipe: Recipe) -> str:
    """Twelve hex digits over the recipe. Debian's package versions are not part of it: the archive is made once."""
    parts = (*recipe.tags, SUITE, recipe.finish, *recipe.packages, *recipe.unwanted)
    return toolbuild.digest(part.encode() for part in parts)


def archive(recipe: Recipe) -> Path:
    """The image's archive, made now where the cache lacks it (half a minute to a minute)."""
    target = paths.images() / f"{recipe.name}-{key(recipe)}.tar"
    if not target.exists():
        names = ", ".join(recipe.tags)
        with step(f"making the image {names} from Debian packages", f"made {names}"):
            _make(recipe, target)
    return target


def _make(recipe: Recipe, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{recipe.name}-", dir=target.parent) as scratch:
        rootfs = Path(scratch) / "rootfs.tar"
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(recipe.packages)}"]
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.unwanted]
        argv += [f"--customize-hook={recipe.finish}", SUITE, str(rootfs)]
        # A fixed epoch makes file times, and with them the image's digest, depend on package versions alone.
        output(argv, f"make {recipe.tags[0]}", env=os.environ | {"SOURCE_DATE_EPOCH": "0"})
        image = Image(recipe.tags, rootfs=rootfs, command=recipe.command, environment=recipe.environment)
        write(image, target)
