"""The verbs of `python tests/e2e/cluster`."""

import argparse
import json

from . import debian, ownimages, packaged, paths, pins, toolbuild
from .problem import Problem
from .terminal import console, say


def main(arguments: list[str]) -> int:
    """Run one verb; 0, or 1 after a Problem was shown on stderr."""
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except Problem as problem:
        console.print(f"error: {problem}", markup=False, style="red")
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="python tests/e2e/cluster", description=__doc__)
    verbs = root.add_subparsers(required=True, metavar="verb")
    tools = verbs.add_parser("tools")
    tools.add_argument("names", nargs="*", default=["light"])
    tools.set_defaults(act=lambda options: toolbuild.build(options.names))
    verbs.add_parser("up").set_defaults(act=lambda _: packaged.up())
    down = verbs.add_parser("down")
    down.add_argument("--all", action="store_true", dest="everything")
    down.set_defaults(act=lambda options: packaged.down(everything=options.everything))
    return root
