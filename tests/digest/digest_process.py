"""The digest as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane import free_port
from farend import LOOPBACK, wait


@dataclass
class Digest:
    """A digest process; started again it goes on with what it kept."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def configure(self, interval: int, *receivers: dict[str, Any]) -> None:
        """Writes what the operator mounts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {"interval": interval, "environment": "production", "receivers": list(receivers)}
        (self.folder / "digest.json").write_text(json.dumps(document))

    def start(self) -> Digest:
        """Starts it and returns once it is ready."""
        settings = {
            "SERGAS_DIGEST_CONFIG": str(self.folder / "digest.json"),
            "SERGAS_DIGEST_STATE": str(self.folder / "state"),
            "SERGAS_DIGEST_HOST": LOOPBACK,
            "SERGAS_DIGEST_PORT": str(self.port),
        }
        with (self.folder / "digest.log").open("ab") as log:
            command = [sys.executable, "-m", "sergas_digest"]
            self.process = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
        wait("the digest is ready", lambda: self.get("/readyz") == "ok\n")
        return self

    def kill(self) -> None:
        """Ends it as a lost node does."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """Ends it as Kubernetes does, and returns its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self.process = None
        return status

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "digest.log").read_text()

    def get(self, path: str) -> str:
        """The body at `path`, empty while it does not answer 200."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310  # its own address
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return ""

    def metric(self, name: str) -> float | None:
        """A sample, None when there is none."""
        lines = self.get("/metrics").splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), None)

    def post(self, body: bytes) -> tuple[int, str]:
        """Status and text of what it answers to a webhook request."""
        request = urllib.request.Request(f"{self.url}/alerts", body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # its own address
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
