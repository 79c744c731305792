"""Commands of the checkout, run as their user would."""

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def run(command: list[str], environment: dict[str, str]) -> str:
    """What a command says; it must succeed."""
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
