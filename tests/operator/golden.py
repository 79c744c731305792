"""Writes what every golden/<case>/cr.yaml becomes: children.yaml, and Alertmanager's configuration readable
beside it.

Run it as `python tests/operator/golden.py` after a change that is meant, and read the difference.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from sergas_operator.cli import rendered
from sergas_operator.model.spec import read

FOLDER = Path(__file__).parent / "golden"
HEADER = "# Generated from cr.yaml by tests/operator/golden.py. Do not edit.\n"


class Plain(yaml.SafeDumper):
    """No anchors, so that a difference is read where it is."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the overridden method's signature
        return True


def expected(case: Path) -> dict[str, str]:
    """File names and contents of a case."""
    children = rendered(read(yaml.safe_load((case / "cr.yaml").read_text())))
    config = base64.b64decode(children[0]["data"]["alertmanager.yaml"]).decode()
    children[0]["data"]["alertmanager.yaml"] = "(see alertmanager.yaml)"
    for key in children[0]["data"]:
        if key.startswith("_") and key.endswith(".tmpl"):
            children[0]["data"][key] = "(a file of operator/sergas_operator/templates)"
    dumped = yaml.dump_all(children, Dumper=Plain, sort_keys=False, width=120)
    return {"children.yaml": HEADER + dumped, "alertmanager.yaml": HEADER + config}


def cases() -> list[Path]:
    """Folders of the cases."""
    return sorted(path.parent for path in FOLDER.glob("*/cr.yaml"))


if __name__ == "__main__":
    for case in cases():
        for name, text in expected(case).items():
            (case / name).write_text(text)
