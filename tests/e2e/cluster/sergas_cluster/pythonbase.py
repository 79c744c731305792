"""A stand-in for docker.io/library/python:3.11-slim, made from Debian 12's packages: Python 3.11 and pip as `python`
and `pip` on PATH. Used only where no registry can be reached; elsewhere the real one is pulled."""

from pathlib import Path

from . import debianimage

TAG = "docker.io/library/python:3.11-slim"
RECIPE = debianimage.Recipe(
    name="python",
    tags=(TAG,),
    packages=("python3", "python3-pip", "python3-venv", "ca-certificates"),
    # pip may install into the image's own Python, as in the real image (PEP 668 marker removed).
    finish='ln -s /usr/bin/python3 "$1/usr/local/bin/python"; rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED;'
    + debianimage.CLEAN,
    command=("python3",),
    environment=("LANG=C.UTF-8",),
)


def key() -> str:
    """Twelve hex digits over the recipe."""
    return debianimage.key(RECIPE)


def archive() -> Path:
    """The base image's archive, made now where the cache lacks it (about 30 s)."""
    return debianimage.archive(RECIPE)
