"""Objects in YAML files, and a folder of them as kustomize sees it."""

from pathlib import Path

import yaml
from sergas_demo.kube import Object


def write(file: Path, *objects: Object) -> None:
    """Write objects to a file, making its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump_all(objects, sort_keys=False))


def read(text: str) -> list[Object]:
    """The objects in a text."""
    return [item for item in yaml.safe_load_all(text) if item]
