"""The files a Dockerfile's COPY lines name: what an image's tag is a hash of, and all its build gets to see."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path

from . import toolbuild
from .errors import ClusterError

# Folders that tools leave beside sources and that never belong in an image.
SKIPPED = {"__pycache__", ".venv", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", "node_modules"}
# 2020-01-01: a fixed time keeps buildah's layer cache from missing over a checkout's file times, and lies within what
# zip files (wheels) can hold.
FILE_TIME = 1577836800


def copied(dockerfile: str) -> list[str]:
    """Sources of the COPY and ADD lines that read from the context, in order of appearance."""
    joined = re.sub(r"\\\s*\n", " ", dockerfile)
    sources: list[str] = []
    for line in joined.splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() in {"COPY", "ADD"}:
            sources += _sources(rest.strip())
    return list(dict.fromkeys(sources))


def _sources(arguments: str) -> list[str]:
    words = shlex.split(arguments) if not arguments.startswith("[") else json.loads(arguments)
    if any(word.startswith("--from=") for word in words):
        return []
    return [word for word in words if not word.startswith("--")][:-1]


def files(dockerfile: Path, root: Path) -> list[Path]:
    """Every file of the build, sorted, relative to `root`: the Dockerfile and what it copies.

    Raises:
        ClusterError: when a COPY line names nothing that exists.
    """
    found = {dockerfile.relative_to(root)}
    for source in copied(dockerfile.read_text()):
        matches = sorted(root.glob(source.strip("/"))) if source.strip("/.") else [root]
        if not matches:
            raise ClusterError(
                f"{dockerfile.relative_to(root)} copies {source}, which does not exist; run `make generate`"
            )
        for match in matches:
            found |= {file.relative_to(root) for file in _walk(match)}
    return sorted(found)


def _walk(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    walked = []
    for folder, names, leaves in os.walk(place):
        names[:] = [name for name in names if name not in SKIPPED]
        walked += [Path(folder) / leaf for leaf in leaves if not leaf.endswith(".pyc")]
    return walked


def key(dockerfile: Path, root: Path, base: str) -> str:
    """Twelve hex digits over the build's files (names, modes, bytes) and the key of its base image."""
    parts = [base.encode()]
    for file in files(dockerfile, root):
        executable = os.access(root / file, os.X_OK)
        parts += [str(file).encode(), str(executable).encode(), (root / file).read_bytes()]
    return toolbuild.digest(parts)


def stage(dockerfile: Path, root: Path, target: Path) -> None:
    """Copy the build's files to `target`, which becomes the context."""
    for file in files(dockerfile, root):
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, place)
        place.chmod(0o755 if os.access(root / file, os.X_OK) else 0o644)
    for folder, _, leaves in os.walk(target):
        for leaf in leaves:
            os.utime(Path(folder) / leaf, (FILE_TIME, FILE_TIME))
        os.utime(folder, (FILE_TIME, FILE_TIME))
