"""Whether updates are lost between threads, on each CPython that uv finds or fetches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .rows import Row

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15", "3.13t", "3.14t", "3.15t")
STRESS = Path(__file__).with_name("stress.py")
ROOT = Path(__file__).resolve().parents[4]


def measure() -> Iterator[Row]:
    """Rows of lost updates; a version that cannot be had is named on standard error and left out."""
    for version in VERSIONS:
        result = _run(version)
        if result is None:
            continue
        name = f"lost of {result['updates']:,} updates, {result['python']}"
        yield Row(name, result["lost"], "updates", "locks" if result["locked"] else "no locks", "<= 0")
        if not result["locked"]:
            yield Row(name, result["control"], "updates", "a control that must lose", ">= 1")


def _run(version: str) -> dict[str, int | str | bool] | None:
    uv = os.environ.get("UV", "uv")
    command = [
        uv,
        "run",
        "--quiet",
        "--no-project",
        "--python",
        _interpreter(version),
        "--with",
        "prometheus-client",
        "python",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run([*command, str(STRESS)], env=environment, check=False, capture_output=True, text=True)
    if done.returncode and not done.stdout:
        sys.stderr.write(f"Python {version} is left out: {done.stderr.strip().splitlines()[-1]}\n")
        return None
    found: dict[str, int | str | bool] = json.loads(done.stdout)
    return found


def _interpreter(version: str) -> str:
    """What uv is told: pyenv's interpreter, which uv does not see while another is chosen there, or the version."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return str(next(root.glob(f"versions/{version}.*/bin/python"), version))
