"""`up` tells the story, `down` takes away what it made."""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sergas_demo.cleanup import remove
from sergas_demo.diagnosis import diagnose
from sergas_demo.incident import told
from sergas_demo.install import choose, guard, kubeconfig
from sergas_demo.kube import CommandError, Kube
from sergas_demo.ownership import ForeignError
from sergas_demo.places import DEMO_NAMESPACE, NAME, NAMESPACE
from sergas_demo.progress import Progress
from sergas_demo.stage import Stage, Step, StoryError
from sergas_demo.story import NEXT, STORY
from sergas_demo.waiting import NotInTimeError

PLAIN_WIDTH = 160
FAILURES = (
    StoryError,
    ForeignError,
    NotInTimeError,
    CommandError,
    httpx.HTTPError,
    OSError,
    subprocess.TimeoutExpired,
)


def main(arguments: list[str]) -> int:
    """Run a verb; 0 when all of it went well, 1 with the reason on the screen otherwise."""
    parser = argparse.ArgumentParser(prog="python examples/demo", description=__doc__)
    parser.add_argument("verb", nargs="?", choices=("up", "down"), default="up")
    verb = parser.parse_args(arguments).verb
    # Without a terminal there is no width to keep to, and tables read better unbroken.
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        return up(console) if verb == "up" else down(console)
    except KeyboardInterrupt:
        console.print(
            "Stopped. What was made so far stays; `make demo` goes on from there, `make demo-down` removes it."
        )
        return 130


def up(console: Console) -> int:
    """Tell the story, and end with what to look at."""
    progress, started = Progress(console), time.monotonic()
    with contextlib.ExitStack() as stack:
        stage = Stage(lambda path: stack.enter_context(Kube(path)))
        for step in STORY:
            try:
                with progress.step(step.title) as (say, row):
                    row.result = step.run(stage, say)
            except FAILURES as error:
                tell_failure(console, stage, step, error)
                return 1
    console.print()
    console.print(progress.table())
    console.print(_arrivals(stage))
    _where_next(console, stage)
    console.print(f"The demo took {time.monotonic() - started:.0f} s.")
    return 0


def down(console: Console) -> int:
    """Remove what `up` made; the cluster stays."""
    try:
        choose()
        guard(config := kubeconfig())
        with Kube(config) as kube:
            remove(kube, lambda text: console.print(text, markup=False))
    except FAILURES as error:
        console.print(f"failed: {error}", style="red", markup=False)
        return 1
    return 0


def tell_failure(console: Console, stage: Stage, step: Step, error: BaseException) -> None:
    """Name the step, the reason, what is seen in the cluster, and what to type next."""
    console.print(f"failed  {step.title}", style="bold red", markup=False)
    console.print(f"{error}", markup=False)
    if stage.kubeconfig != Path():
        for line in diagnose(stage.kube, NAME, (NAMESPACE, DEMO_NAMESPACE), f"{NAMESPACE}/sergas-operator"):
            console.print(f"  {line}", markup=False)
    console.print("To look further, type:")
    for command in (*_environment(stage), *step.look):
        console.print(f"  {command}", markup=False)
    console.print("Then run `make demo` again; it goes on from what is there.")


def _arrivals(stage: Stage) -> Table:
    table = Table("UTC", "by", "to", "it says", title="What the receivers got", title_justify="left")
    for row in stage.arrivals:
        table.add_row(*map(Text, told(row)))
    return table


def _where_next(console: Console, stage: Stage) -> None:
    console.print("Where to look next:", style="bold")
    for command in _environment(stage):
        console.print(f"  {command}", markup=False)
    for what, command in NEXT:
        console.print(f"  {command}", markup=False)
        console.print(f"      {what}", style="dim", markup=False)


def _environment(stage: Stage) -> list[str]:
    if stage.kubeconfig == Path():
        return []
    return [f"export KUBECONFIG={stage.kubeconfig} CLUSTER={os.environ['CLUSTER']} PATH=$PWD/bin:$PATH"]
