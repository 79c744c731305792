"""A Kubernetes control plane for tests: etcd, kube-apiserver and the garbage collector, on free loopback
ports.

It has no node, so no pod ever runs; admission, CEL, server-side apply, watches, garbage collection and RBAC
are the real ones. Its audit log counts writes.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CRD = ROOT / "charts/sergas-monitoring/crds/sergasmonitorings.yaml"
START_SECONDS = 60
TOKENS = {"admin": "admin-token", "sergas-operator": "operator-token"}
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class MissingToolError(RuntimeError):
    """A binary that `make tools` builds is not there."""


def of_kubernetes(name: str) -> str:
    """Name of a program of Kubernetes: of the newest tested version, or with SERGAS_KUBERNETES=oldest of the oldest."""
    chosen = os.environ.get("SERGAS_KUBERNETES", "newest")
    if chosen not in {"newest", "oldest"}:
        raise MissingToolError(f"SERGAS_KUBERNETES is {chosen!r}: set it to newest or oldest")
    return f"{name}-oldest" if chosen == "oldest" else name


def tool(name: str) -> str:
    """Path of a pinned binary: bin/ of the checkout first, then PATH."""
    pinned = ROOT / "bin" / name
    found = str(pinned) if pinned.exists() else shutil.which(name)
    if not found:
        raise MissingToolError(f"{name} is neither in {ROOT / 'bin'} nor on PATH: run `make tools`, then try again")
    return found


def prometheus_operator_crds() -> list[Path]:
    """The pinned Prometheus Operator's CRDs."""
    command = [sys.executable, str(ROOT / "tests/e2e/cluster"), "crds"]
    folder = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    return sorted(Path(folder).glob("*.yaml"))


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ValueError(f"nothing matches {pattern} in the CRD")
    return match[1]


def free_port() -> int:
    """A loopback port that nobody listens on, and that no socket which asks for any port gets in the next minute.

    The server's end of a connection is closed first, so that the port stays in TIME_WAIT. The kernel does not give such
    a port away, and a server that sets SO_REUSEADDR can still bind it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()
        return int(server.getsockname()[1])


@dataclass
class ControlPlane:
    """One running control plane. `start` and `stop` are its life; `kubeconfig(user)` is how to talk to it."""

    folder: Path
    processes: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    etcd_port: int = field(default_factory=free_port)
    peer_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """What a client needs to trust the API server."""
        return ssl.create_default_context(cafile=str(self.folder / "certs/apiserver.crt"))

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    def start(self, *crds: Path) -> None:
        """Starts everything and returns when the API server is ready and serves the kinds in `crds`.

        The garbage collector comes last: it looks for new kinds only every 30 s.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_files()
        self._run("etcd", *self._etcd_arguments())
        self._run(of_kubernetes("kube-apiserver"), *self._apiserver_arguments())
        self._wait(lambda: self.get("/readyz") == "ok", "the API server is ready")
        self.apply_crds(*crds)
        self._run(of_kubernetes("kube-controller-manager"), *self._controller_arguments())

    def stop(self) -> None:
        """Ends the processes this object started. Nothing in them is worth the ten seconds of a "
        "graceful end."""
        for _, process in reversed(self.processes):
            process.kill()
            process.wait()
        self.processes.clear()

    def kubeconfig(self, user: str) -> Path:
        """A kubeconfig file for `admin` (may do everything) or `sergas-operator` (only what RBAC grants)."""
        path = self.folder / f"{user}.kubeconfig"
        if not path.exists():
            cluster = {"server": self.url, "certificate-authority": str(self.folder / "certs/apiserver.crt")}
            document = {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": user, "user": {"token": TOKENS[user]}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
                "current-context": "test",
            }
            path.write_text(yaml.safe_dump(document))
        return path

    def apply(self, path: str, document: bytes | str) -> None:
        """Server-side apply of a YAML document at `path`, as admin."""
        self.send("PATCH", f"{path}?fieldManager=test&force=true", document, "application/apply-patch+yaml")

    def apply_crds(self, *paths: Path) -> None:
        """Installs CRDs and returns once the API server serves them."""
        served = []
        for path in paths:
            # Read as text: parsing the Prometheus Operator's 3 MB of YAML takes longer than all the rest.
            text = path.read_text()
            group, plural = _found(r"^  group: (\S+)$", text), _found(r"^    plural: (\S+)$", text)
            version = _found(r"^ +(?:- )?name: (v1\w*)$", text)
            self.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}", text)
            served.append((f"/apis/{group}/{version}", f'"{plural}"'))
        for api, plural in served:
            self._wait(functools.partial(self._serves, api, plural), f"{plural} is served at {api}")

    def _serves(self, api: str, plural: str) -> bool:
        return plural in self.get(api)

    def send(self, method: str, path: str, body: bytes | str, content_type: str) -> str:
        """The body the API server answers to a write, as admin."""
        data = body.encode() if isinstance(body, str) else body
        headers = {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:  # noqa: S310
            return str(answer.read().decode())

    def get(self, path: str) -> str:
        """The body the API server answers at `path`, as admin; empty while it cannot be reached."""
        certificate = self.folder / "certs/apiserver.crt"
        if not certificate.exists():
            return ""
        # Always https: the address is this object's own.
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {TOKENS['admin']}"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5, context=self.tls) as answer:  # noqa: S310
                return str(answer.read().decode())
        except OSError:
            return ""

    def writes(self, namespace: str, since: int = 0, name: str = "", events: bool = False) -> list[tuple[str, str]]:
        """Return every (verb, resource) that the operator wrote in `namespace` after byte `since` of the audit log.

        With `name` only writes to objects of that name count. Events count only when asked for; Leases never do,
        because the operator renews them whether or not anything changed.
        """
        ignored = {"leases"} | (set() if events else {"events"})
        found = []
        for event in self.audit(since):
            ref = event.get("objectRef") or {}
            mine = event["user"]["username"] == "sergas-operator" and ref.get("namespace") == namespace
            named = not name or ref.get("name") == name
            if mine and named and event["verb"] in WRITES and ref.get("resource") not in ignored:
                found.append((event["verb"], "/".join(filter(None, [ref["resource"], ref.get("subresource")]))))
        return found

    def audit_size(self) -> int:
        """Bytes in the audit log now: a point in time for `writes`."""
        return self.audit_log.stat().st_size

    def audit(self, since: int) -> Iterator[dict[str, Any]]:
        with self.audit_log.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([tool(name), *arguments], stdout=log, stderr=log, cwd=self.folder)
        self.processes.append((name, process))

    def _wait(self, holds: Any, what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            for name, process in self.processes:
                if process.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{name} ended with {process.returncode} before {what}:\n{tail}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {START_SECONDS} s: {what} (logs are in {self.folder})")
            time.sleep(0.05)

    def _write_files(self) -> None:
        tokens = [
            f'{TOKENS["admin"]},admin,admin,"system:masters"',
            f"{TOKENS['sergas-operator']},sergas-operator,sergas-operator",
        ]
        (self.folder / "tokens.csv").write_text("\n".join(tokens) + "\n")
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived", "ResponseStarted"],
            "rules": [
                # With the body, which says what becomes of the pods.
                {"level": "Request", "verbs": ["delete"], "resources": [{"group": "apps"}]},
                {"level": "Metadata", "verbs": sorted(WRITES)},
                {"level": "None"},
            ],
        }
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(policy))
        key = self.folder / "service-accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)

    def _etcd_arguments(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        return [
            *("--name=test", f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=test={peer}"),
        ]

    def _apiserver_arguments(self) -> list[str]:
        key = self.folder / "service-accounts.key"
        return [
            *(f"--etcd-servers=http://127.0.0.1:{self.etcd_port}", f"--cert-dir={self.folder / 'certs'}"),
            *("--bind-address=127.0.0.1", f"--secure-port={self.port}", "--authorization-mode=RBAC"),
            # No Endpoints for the service `kubernetes`: the API server refuses to publish a loopback address.
            *("--endpoint-reconciler-type=none", "--service-cluster-ip-range=198.18.0.0/16"),
            *(
                f"--token-auth-file={self.folder / 'tokens.csv'}",
                "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection",
            ),
            "--service-account-issuer=https://kubernetes.default.svc",
            *(f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"),
            *(f"--audit-policy-file={self.folder / 'audit-policy.yaml'}", f"--audit-log-path={self.audit_log}"),
        ]

    def _controller_arguments(self) -> list[str]:
        kubeconfig = str(self.kubeconfig("admin"))
        return [
            *(f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1"),
            *(f"--secure-port={self.controller_port}", f"--cert-dir={self.folder / 'controller-certs'}"),
            "--controllers=garbage-collector-controller,namespace-controller",
            # The default of 20 requests a second would let tests wait for the garbage collector.
            *("--kube-api-qps=1000", "--kube-api-burst=2000"),
        ]
