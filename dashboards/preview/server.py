"""A Prometheus of our own on loopback, over a folder of blocks or scraping; and how blocks get into the folder."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from charts.helm import tool

READY_SECONDS: Final = 120
STOP_SECONDS: Final = 60
PAUSE_SECONDS: Final = 0.05
# As long as Prometheus itself joins blocks to when it keeps 30 days. promtool reads its input once a block. The flag is
# one that its help does not list.
LONGEST_BLOCK: Final = "54h"
NOTHING: Final = "global: {}\n"


class ServerError(Exception):
    """Prometheus or promtool failed; the text holds what it said last."""


@contextmanager
def prometheus(folder: Path, config: str = NOTHING, arguments: Sequence[str] = ()) -> Iterator[str]:
    """The URL of a Prometheus over `folder`/data, ready for queries, which is stopped at the end.

    Raises:
        ServerError: when it is not ready within two minutes, with the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yaml").write_text(config, encoding="utf-8")
    port, log = free_port(), folder / "prometheus.log"
    command = [
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    command += [
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        "--log.level=warn",
        *arguments,
    ]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            _await_ready(process, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def add_blocks(text: Path, folder: Path) -> None:
    """Make blocks in `folder`/data of a file of OpenMetrics text with times, and remove the file.

    A Prometheus sees them when it starts.

    Raises:
        ServerError: with what promtool says.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    command = [tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    command += [f"--max-block-duration={LONGEST_BLOCK}", str(text), str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"promtool could not make blocks of {text}: {(done.stderr or done.stdout).strip()}")
    text.unlink()


def free_port() -> int:
    """A port of loopback on which nobody listens at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/-/ready", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(PAUSE_SECONDS)
    said = "\n".join(log.read_text(encoding="utf-8").splitlines()[-5:])
    state = "did not become ready" if process.poll() is None else f"ended with {process.returncode}"
    raise ServerError(f"Prometheus {state}. Its log ends with:\n{said}")
