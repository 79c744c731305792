"""What a type checker sees of the library."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_mypy_sees_the_types_that_users_rely_on() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", str(HERE / "typed.py")]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
