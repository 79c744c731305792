"""The digest as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane import free_port
from farend import LOOPBACK, wait

TOKEN = "t0ken-of-the-digest"


def payload(*alerts: dict[str, Any]) -> bytes:
    """A request of Alertmanager's webhook."""
    return json.dumps({"version": "4", "alerts": list(alerts)}).encode()


def posted(name: str, status: str = "resolved", **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager posts it."""
    return {
        "status": status,
        "fingerprint": name,
        "labels": {"alertname": name, "severity": "info"} | labels,
        "annotations": {"summary": f"summary of {name}"},
        "startsAt": "2026-01-02T03:04:05.123456789Z",
        "endsAt": "2026-01-02T03:05:05Z",
    }


@dataclass
class Digest:
    """A digest process. Started again, it continues with the alerts that it has stored."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    state: Path | None = None

    def configure(self, interval: int, *receivers: dict[str, Any], **more: Any) -> None:
        """Writes what the operator mounts, at once, as Kubernetes does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        token = self.folder / "token"
        token.write_text(f"{TOKEN}\n")
        document = {"interval": interval, "environment": "production", "tokenFile": str(token)}
        new = self.folder / "digest.json.new"
        new.write_text(json.dumps(document | {"receivers": list(receivers)} | more))
        new.replace(self.folder / "digest.json")

    def spawn(self) -> Digest:
        """Starts it and returns once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "SERGAS_DIGEST_CONFIG": str(self.folder / "digest.json"),
            "SERGAS_DIGEST_STATE": str(self.state or self.folder / "state"),
            "SERGAS_DIGEST_HOST": LOOPBACK,
            "SERGAS_DIGEST_PORT": str(self.port),
        }
        with (self.folder / "digest.log").open("ab") as log:
            command = [sys.executable, "-m", "sergas_digest"]
            environment = os.environ | settings | self.environment
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait("the digest answers", lambda: self.get("/healthz") == "ok\n")
        return self

    def start(self) -> Digest:
        """Starts it and returns once it is ready."""
        self.spawn()
        wait("the digest is ready", lambda: self.get("/readyz") == "ok\n")
        return self

    def kill(self) -> None:
        """Ends it as the loss of its node does."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, seconds: float = 30) -> int:
        """Ends it as Kubernetes does, and returns its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        self.process = None
        return status

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "digest.log").read_text()

    def messages(self) -> list[str]:
        """The messages of its log lines, each of which must be a JSON object."""
        return [str(json.loads(line)["message"]) for line in self.log.splitlines()]

    def get(self, path: str) -> str:
        """The body at `path`, empty while it does not answer 200."""
        status, body = self.ask(path)
        return body if status == 200 else ""

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body at `path`; the status is 0 while it does not answer."""
        return self._open(urllib.request.Request(self.url + path))  # noqa: S310  # its own address

    def metric(self, name: str) -> float | None:
        """A sample, None if there is none."""
        lines = self.get("/metrics").splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), None)

    def memory(self, name: str = "VmHWM") -> float:
        """A figure of its memory in MiB: VmHWM is the most that was ever resident."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(f"{name}:"))

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and text of its answer to a webhook request, which carries the token unless `headers` are given."""
        if headers is None:
            headers = {"Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(  # noqa: S310  # its own address
            f"{self.url}/alerts", body, {"Content-Type": "application/json", **headers}
        )
        return self._open(request)

    def store(self, *alerts: dict[str, Any]) -> None:
        """Posts alerts, which it must accept."""
        assert self.post(payload(*alerts)) == (200, "stored\n")

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # its own address
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""
