"""Running other programs."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import ClusterError

TAIL_LINES = 15


def output(argv: Sequence[str | Path], what: str, *, stdin: str | None = None, **options: object) -> str:
    """Stdout of `argv`.

    Raises:
        ClusterError: when it fails; names `what` was being done and quotes the last lines it wrote.
    """
    try:
        done = subprocess.run(
            [str(a) for a in argv], input=stdin, capture_output=True, text=True, check=False, **options
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{what}: the program {argv[0]} is missing; {advice(str(argv[0]))}") from error
    if done.returncode != 0:
        said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-TAIL_LINES:])
        raise ClusterError(f"{what}: `{' '.join(map(str, argv[:4]))} ...` ended with {done.returncode}:\n{said}")
    return done.stdout


def succeeds(argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> bool:
    """Whether `argv` ran and ended with 0."""
    try:
        done = subprocess.run([str(a) for a in argv], capture_output=True, check=False, env=env)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def advice(program: str) -> str:
    """How to get a program that is missing."""
    if program == "go":
        return "install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH"
    if program == "docker":
        return "install a Docker engine (https://docs.docker.com/engine/install/) or run with CLUSTER=packaged"
    return f"install it (python tests/e2e/cluster packages) and see that {program} is on PATH"
