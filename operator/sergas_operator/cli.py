"""`sergas-operator render`: what a SergasMonitoring becomes, without a cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sergas_operator.desired import children, configuration
from sergas_operator.errors import OperatorError
from sergas_operator.receivers import SECRET_FIELDS, Resolved, secret_ref
from sergas_operator.receivers import resolve as resolve_receivers
from sergas_operator.settings import Settings
from sergas_operator.spec import KIND, Monitoring, read

# A stand-in for every secret value, so that receivers are rendered as they will be.
PLACEHOLDER = {"url": b"https://example.invalid/placeholder", "routing-key": b"placeholder", "password": b"placeholder"}


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line: `run` when nothing is said."""
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
    """Prints the children of every SergasMonitoring in `path` as YAML, with placeholders for secret values.

    Returns:
        0, or 1 when the file holds none or one cannot be understood; the reason goes to standard error.
    """
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        bodies = [body for body in yaml.safe_load_all(text) if body and body.get("kind") == KIND]
        if not bodies:
            return _refuse(f"{path} holds no {KIND}: write one with `kind: {KIND}`")
        for body in bodies:
            print(yaml.safe_dump_all(rendered(read(body)), sort_keys=False, width=4096), end="")
    except (OSError, yaml.YAMLError, OperatorError) as error:
        return _refuse(f"{path}: {error}")
    return 0


def rendered(monitoring: Monitoring, settings: Settings | None = None) -> list[dict[str, Any]]:
    """The children of `monitoring` as they would be with every Secret in place."""
    config = configuration(monitoring, placeholders(monitoring))
    return children(monitoring, settings or Settings(), config)


def placeholders(monitoring: Monitoring) -> tuple[Resolved, ...]:
    """The receivers of `monitoring`, with stand-ins for secret values."""
    secrets: dict[str, dict[str, bytes]] = {}
    for receiver in monitoring.spec.receivers:
        ref = secret_ref(receiver)
        if ref:
            secrets.setdefault(ref.name, {})[ref.key] = PLACEHOLDER[SECRET_FIELDS[receiver.kind][1]]
    return resolve_receivers(monitoring, secrets, {})


def _refuse(reason: str) -> int:
    print(f"sergas-operator: {reason}", file=sys.stderr)
    return 1
