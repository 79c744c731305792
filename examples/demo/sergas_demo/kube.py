"""The one way to the cluster: kubectl and helm, and the API over a `kubectl proxy` of our own.

The proxy understands every kubeconfig that kubectl does, and listens on a socket only this user can open. Through the
API server's own proxy it reaches pods and Services too, so that a kubeconfig is all one needs.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from sergas_demo.places import environment

Object = dict[str, Any]
COMMAND_SECONDS = 600


class CommandError(Exception):
    """kubectl or helm ended non-zero.

    Attributes:
        command: What was run, as one would type it.
        said: What it wrote to stderr, or to stdout where stderr is empty.
    """

    def __init__(self, command: str, said: str) -> None:
        super().__init__(f"{command}: {said}")
        self.command = command
        self.said = said


class Kube:
    """A cluster, by its kubeconfig. Use as a context manager."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self._folder = tempfile.TemporaryDirectory(prefix="sergas-")
        self._proxy: subprocess.Popen[str] | None = None
        self.api = httpx.Client()

    def __enter__(self) -> Self:
        socket = Path(self._folder.name) / "api.sock"
        self._proxy = subprocess.Popen(
            ["kubectl", "proxy", f"--unix-socket={socket}"],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = self._proxy.stdout.readline() if self._proxy.stdout else ""
        if "Starting to serve" not in said:
            self.close()
            raise CommandError(f"kubectl proxy (KUBECONFIG={self.kubeconfig})", said.strip() or "it ended")
        self.api.close()
        self.api = httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://localhost", timeout=30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the proxy."""
        self.api.close()
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.communicate()
            self._proxy = None
        self._folder.cleanup()

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return its stdout.

        Raises:
            CommandError: When it ends non-zero.
        """
        return self._run(["kubectl", *arguments], stdin)

    def helm(self, *arguments: str, program: str = "helm") -> str:
        """Run helm, or another version of it, and return its stdout.

        Raises:
            CommandError: When it ends non-zero.
        """
        return self._run([program, *arguments], None)

    def apply(self, *objects: Object, namespace: str = "", arguments: Sequence[str] = ()) -> str:
        """`kubectl apply` objects, and return what it said."""
        where = ["--namespace", namespace] if namespace else []
        return self.kubectl("apply", *where, *arguments, "-f", "-", stdin=yaml.safe_dump_all(objects))

    def get(self, path: str, **query: str) -> Object | None:
        """Read an API path, such as `/api/v1/namespaces/default/pods`; None where there is nothing.

        Raises:
            httpx.HTTPError: On any other answer than 200 and 404.
        """
        answer = self.api.get(path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: Object = answer.raise_for_status().json()
        return found

    def items(self, path: str, **query: str) -> list[Object]:
        """Read the items of a collection; none where the API does not know it."""
        found = self.get(path, **query)
        return list(found["items"]) if found else []

    def create(self, path: str, item: Object) -> bool:
        """Create an object in a collection; False, and nothing changed, where one of its name exists."""
        answer = self.api.post(path, json=item)
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        answer.raise_for_status()
        return True

    def patch(self, path: str, change: Mapping[str, object]) -> Object:
        """Merge a change into an object, and return it as it then is."""
        headers = {"Content-Type": "application/merge-patch+json"}
        changed: Object = self.api.patch(path, content=json.dumps(change), headers=headers).raise_for_status().json()
        return changed

    def delete(self, path: str, **options: str | int) -> bool:
        """Delete an object, or all of a collection, in the background; False where it is not there.

        Args:
            path: Of the object or the collection.
            options: Of the request, such as `labelSelector` and `gracePeriodSeconds`.
        """
        answer = self.api.delete(path, params=options)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        answer.raise_for_status()
        return True

    def service(self, namespace: str, name: str, port: str) -> "Web":
        """HTTP to a Service, through the API server."""
        return Web(self.api, f"/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy")

    def pod(self, namespace: str, name: str, port: int) -> "Web":
        """HTTP to a pod, through the API server."""
        return Web(self.api, f"/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy")

    def _environment(self) -> dict[str, str]:
        return environment() | {"KUBECONFIG": str(self.kubeconfig)}

    def _run(self, command: list[str], stdin: str | None) -> str:
        done = subprocess.run(
            command,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode:
            raise CommandError(" ".join(command), (done.stderr or done.stdout).strip())
        return done.stdout


class Web:
    """HTTP below one path of the API server."""

    def __init__(self, client: httpx.Client, base: str) -> None:
        self._client = client
        self._base = base

    def json(self, path: str, **query: str) -> Any:
        """GET a JSON document.

        Raises:
            httpx.HTTPError: Unless the answer is 2xx.
        """
        return self._client.get(f"{self._base}{path}", params=query).raise_for_status().json()

    def text(self, path: str) -> str:
        """GET a text."""
        return self._client.get(f"{self._base}{path}").raise_for_status().text

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request with a JSON body, or none.

        Raises:
            httpx.HTTPError: Unless the answer is 2xx.
        """
        return self._client.request(method, f"{self._base}{path}", json=body).raise_for_status()


def path(api: str, namespace: str, plural: str, name: str = "") -> str:
    """The API path of an object or, without a name, of a collection.

    >>> path("v1", "default", "pods", "web-0")
    '/api/v1/namespaces/default/pods/web-0'
    >>> path("apps/v1", "", "deployments")
    '/apis/apps/v1/deployments'
    """
    root = f"/api/{api}" if "/" not in api else f"/apis/{api}"
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{within}/{plural}{'/' + name if name else ''}"


def condition(found: Object | None, kind: str) -> Object:
    """A condition of an object's status; an empty one, status Unknown, where it is missing."""
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    missing = {"status": "Unknown", "reason": "", "message": f"there is no condition {kind} yet"}
    return next((item for item in conditions if item["type"] == kind), missing)
