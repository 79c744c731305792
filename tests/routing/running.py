"""A real Alertmanager on loopback, with the configuration a SergasMonitoring becomes."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane import free_port, tool
from farend import wait

from sergas_operator.desired.alertmanager_config import render
from sergas_operator.desired.integrations import FOLDER
from sergas_operator.desired.receivers import resolve
from sergas_operator.model.spec import read

SECRETS = {"slack": "url", "pagerduty": "routing-key", "smtp": "password", "hook": "url", "deadman": "url"}


def monitoring(spec: Mapping[str, Any]) -> Any:
    """The Monitoring with this spec."""
    metadata = {"name": "sergas", "namespace": "monitoring", "uid": "1", "generation": 1}
    return read({"metadata": metadata, "spec": spec})


# With which Alertmanager authenticates to the digest.
DIGEST_TOKEN = b"digest-token"


@dataclass
class Alertmanager:
    """One Alertmanager process. `configure` may be called again, followed by `reload`."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def configure(
        self, spec: Mapping[str, Any], secrets: Mapping[str, str], replace: Mapping[str, str] | None = None
    ) -> None:
        """Writes what prometheus-operator mounts; `secrets` holds a value by the name of its Secret."""
        found = monitoring(spec)
        data = {name: {SECRETS[name]: value.encode()} for name, value in secrets.items()}
        urls = tuple(receiver.pagerduty.url or "" for receiver in found.spec.receivers if receiver.pagerduty)
        config = render(found, resolve(found, data, {}, urls), DIGEST_TOKEN)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, value in config.files.items():
            (self.folder / name).write_bytes(value)
        text = config.text.replace(FOLDER, str(self.folder))
        for old, new in (replace or {}).items():
            assert old in text, f"the configuration does not hold {old}"
            text = text.replace(old, new)
        (self.folder / "alertmanager.yaml").write_text(text)

    def start(self) -> Alertmanager:
        """Starts it and returns once it is ready."""
        with (self.folder / "alertmanager.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    tool("alertmanager"),
                    f"--config.file={self.folder}/alertmanager.yaml",
                    f"--storage.path={self.folder}/data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )
        wait("Alertmanager is ready", lambda: self.get("/-/ready") is not None)
        return self

    def stop(self) -> None:
        """Ends it as Kubernetes does."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def reload(self) -> None:
        """Reads the configuration again, as SIGHUP asks it to."""
        assert self.process
        before = self.metric("alertmanager_config_last_reload_success_timestamp_seconds")
        self.process.send_signal(signal.SIGHUP)
        wait(
            "the reload",
            lambda: self.metric("alertmanager_config_last_reload_success_timestamp_seconds") > before,
        )

    def metric(self, name: str) -> float:
        """A metric without labels."""
        lines = (self.get("/metrics") or b"").decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def get(self, path: str) -> bytes | None:
        """The body at `path`; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            return None

    def post(self, alerts: Iterable[Mapping[str, Any]]) -> None:
        """Hands it alerts, as Prometheus does."""
        body = json.dumps(list(alerts)).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v2/alerts", body, headers)
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  # its own address

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts it knows."""
        return list(json.loads(self.get("/api/v2/alerts") or b"[]"))


def stamp(seconds: float) -> str:
    """A time so many seconds from now, in RFC 3339."""
    now = time.time() + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


def alert(name: str, severity: str = "critical", *, ends: float = 600, **labels: str) -> dict[str, Any]:
    """An alert as Prometheus posts it, which begins now. `ends` seconds from now; one that lies in the past is
    resolved.

    Alertmanager lets a group wait only for alerts that are younger than its group_wait.
    """
    return {
        "labels": {"alertname": name, "severity": severity, "environment": "production", **labels},
        "annotations": {"summary": f"summary of {name}"},
        "startsAt": stamp(min(0.0, ends - 60)),
        "endsAt": stamp(ends),
    }
