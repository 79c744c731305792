"""Where a tool is built: in its folder below tests/tools, or in a copy that adds the files its Go module lacks."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from . import pins
from .command import output


def build_folder(unit: pins.Unit, scratch: Path, environment: Mapping[str, str]) -> Path:
    """Folder with the go.mod to build `unit` with.

    A module whose code embeds files that its archive lacks does not compile. Go replaces neither files in its module
    cache nor single packages, so the module is copied into `scratch`, completed, and named in a `replace`.

    Raises:
        ClusterError: when Go cannot fetch the module.
    """
    source = pins.module_folder(unit)
    if not unit.absent:
        return source
    fetched = output(["go", "mod", "download", "-json", unit.pinned], f"fetch {unit.name}", cwd=source, env=environment)
    _completed_copy(Path(json.loads(fetched)["Dir"]), scratch / "source", unit.absent)
    folder = scratch / "module"
    folder.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(source / name, folder / name)
    # A relative path, because Go records it in the program: the same pins give the same bytes everywhere.
    with (folder / "go.mod").open("a") as go_mod:
        go_mod.write(f"\nreplace {unit.pinned} => ../source\n")
    return folder


def _completed_copy(module: Path, copy: Path, absent: tuple[str, ...]) -> None:
    shutil.copytree(module, copy, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(copy):  # the module cache is read-only, and copytree keeps the modes of folders
        Path(folder).chmod(0o755)
    for name in absent:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("This build has no web pages. The API is complete.\n")
