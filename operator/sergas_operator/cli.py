"""`sergas-operator render`: the children of a SergasMonitoring, without a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sergas_operator.desired.alertmanager_config import render as render_config
from sergas_operator.desired.inputs import Inputs
from sergas_operator.desired.receivers import SECRET_FIELDS, Resolved, all_receivers, secret_ref
from sergas_operator.desired.receivers import resolve as resolve_receivers
from sergas_operator.desired.registry import desired
from sergas_operator.errors import OperatorError
from sergas_operator.model.spec import KIND, Monitoring, read
from sergas_operator.settings import Settings

# Placeholders for secret values.
PLACEHOLDER = {"url": b"https://example.invalid/placeholder", "routing-key": b"placeholder", "password": b"placeholder"}


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; `run` is the default command."""
    parser = argparse.ArgumentParser(prog="sergas-operator", description="Reconciles SergasMonitoring resources.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help="serve the namespaces in SERGAS_NAMESPACES (the default)")
    rendering = commands.add_parser(
        "render", help="print the children of SergasMonitorings in a file, without a cluster"
    )
    rendering.add_argument("file", help="YAML file, or - for standard input")
    parsed = parser.parse_args(argv)
    parsed.command = parsed.command or "run"
    return parsed


def render(path: str) -> int:
    """Print the children of every SergasMonitoring in `path` as YAML, with placeholders for secret values.

    Returns:
        0, or 1 when the file holds none or one is invalid; the reason goes to standard error.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        bodies = [body for body in yaml.safe_load_all(text) if body and body.get("kind") == KIND]
        if not bodies:
            return _refuse(f"{path} has no {KIND}: write one with `kind: {KIND}`")
        for body in bodies:
            print(yaml.safe_dump_all(rendered(read(body)), sort_keys=False, width=4096), end="")
    except (OSError, yaml.YAMLError, OperatorError) as error:
        return _refuse(f"{path}: {error}")
    return 0


def rendered(monitoring: Monitoring, settings: Settings | None = None) -> list[dict[str, Any]]:
    """Return the children of `monitoring` as they would be with every Secret in place."""
    config = render_config(monitoring, placeholders(monitoring), b"placeholder")
    inputs = Inputs(monitoring, settings or Settings(), config)
    return [child for _, child in desired(inputs) if child]


def placeholders(monitoring: Monitoring) -> tuple[Resolved, ...]:
    """Return the receivers of `monitoring` with placeholders for secret values."""
    secrets: dict[str, dict[str, bytes]] = {}
    for receiver, _ in all_receivers(monitoring):
        ref = secret_ref(receiver)
        if ref:
            secrets.setdefault(ref.name, {})[ref.key] = PLACEHOLDER[SECRET_FIELDS[receiver.kind][1]]
    return resolve_receivers(monitoring, secrets, {})


def _refuse(reason: str) -> int:
    print(f"sergas-operator: {reason}", file=sys.stderr)
    return 1
