"""Argo CD without its pods: the parts that sync, as processes on loopback against the cluster that KUBECONFIG names.

Core mode: no API server, no user interface. What a user's Argo CD reads from the cluster (CRDs, settings, projects,
repositories) it reads here too.
"""

import json
import secrets
import subprocess
from pathlib import Path

import yaml
from processes import Processes, free_port
from sergas_demo.kube import Kube, Object, path
from sergas_demo.places import CHECKOUT, environment
from sergas_demo.waiting import expect, until

NAMESPACE = "argocd"
ACCOUNT = "argocd-application-controller"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
PART_OF = {"app.kubernetes.io/part-of": "argocd"}
MODULE = "github.com/argoproj/argo-cd/v3"
HEALTH = CHECKOUT / "manifests" / "argocd" / "argocd-cm.yaml"
START_SECONDS = 60
# Shorter than the usual two to three minutes: Argo CD overlooks a change now and then, and finds it by the clock.
RECONCILIATION = "15s"


def source() -> Path:
    """Argo CD's own manifests, of the pinned version."""
    command = ["go", "list", "-m", "-f", "{{.Dir}}", MODULE]
    folder = CHECKOUT / "tests" / "tools" / "argocd"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()) / "manifests"


def settings() -> list[Object]:
    """What `kubectl apply -n argocd -f core-install.yaml` would leave of settings, and an account that may do all."""
    meta = {"namespace": NAMESPACE, "labels": PART_OF}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ACCOUNT, "labels": PART_OF},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }
    default = {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": PART_OF}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, **meta}},
        binding,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", **meta}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "argocd-secret", **meta},
            "stringData": {"server.secretkey": secrets.token_hex(16)},
        },
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": default,
        },
    ]


def install(kube: Kube) -> None:
    """CRDs, namespace, settings."""
    kube.kubectl("apply", "--server-side", "-k", str(source() / "crds"))
    # Not `kubectl wait`: it fails on a CRD so new that it has no conditions yet.
    until("Argo CD's API", lambda: served(kube), seconds=30)
    kube.apply(*settings())
    kube.kubectl("apply", "--server-side", "-f", str(HEALTH))


def served(kube: Kube) -> None:
    """Return when the API server serves Argo CD's kinds.

    Raises:
        NotYet: while one is missing.
    """
    found = kube.get("/apis/argoproj.io/v1alpha1") or {"resources": []}
    names = {item["name"] for item in found["resources"]}
    missing = {"applications", "appprojects", "applicationsets"} - names
    expect(not missing, f"{', '.join(sorted(missing))} missing")


def kubeconfig(kube: Kube, folder: Path) -> Path:
    """A kubeconfig under Argo CD's own account, so that the audit log tells its writes from a test's."""
    document = yaml.safe_load(kube.kubectl("config", "view", "--raw", "--minify", "--flatten"))
    token = kube.kubectl("--namespace", NAMESPACE, "create", "token", ACCOUNT, "--duration=4h").strip()
    document["users"][0]["user"] = {"token": token}
    file = folder / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(document))
    return file


class ArgoCD:
    """Redis, the repository server and the application controller. `start` and `stop` are its life."""

    def __init__(self, kube: Kube, folder: Path) -> None:
        self.kube = kube
        self.folder = folder
        self.processes = Processes(folder / "log")
        self.redis, self.server, self.metrics, self.controller = (free_port() for _ in range(4))
        self.password = secrets.token_hex(16)

    def start(self) -> None:
        """Returns when all parts say that they are well."""
        install(self.kube)
        environment = self.environment()
        self.processes.run("redis", ["redis-server", "-"], environment, stdin=self._redis_settings())
        self.processes.run("argocd-repo-server", self._repo_server(), environment)
        self.processes.run("argocd-application-controller", self._controller(), environment)
        for part, port in (("repo-server", self.metrics), ("application-controller", self.controller)):
            self.processes.wait_healthy(f"argocd-{part}", f"http://127.0.0.1:{port}/healthz", START_SECONDS)

    def start_application_sets(self) -> None:
        """Start the ApplicationSet controller as well."""
        ports = [free_port() for _ in range(3)]
        flags = zip(("--metrics-addr", "--probe-addr", "--webhook-addr"), ports, strict=True)
        command = [
            "argocd",
            f"--namespace={NAMESPACE}",
            f"--argocd-repo-server=127.0.0.1:{self.server}",
            "--repo-server-plaintext",
            *(f"{flag}=127.0.0.1:{port}" for flag, port in flags),
        ]
        self.processes.run("argocd-applicationset-controller", command, self.environment())
        self.processes.wait_healthy(
            "argocd-applicationset-controller", f"http://127.0.0.1:{ports[0]}/metrics", START_SECONDS
        )

    def stop(self) -> None:
        """End the processes."""
        self.processes.stop()

    def environment(self) -> dict[str, str]:
        """Nothing of the user's own settings reaches Argo CD, nor its files the user's folders."""
        places = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "ARGOCD_TLS_DATA_PATH": "tls",
            "ARGOCD_SSH_DATA_PATH": "ssh",
            "ARGOCD_APP_CONF_PATH": "conf",
        }
        folders = {name: self.folder / place for name, place in places.items()}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "ssh" / "ssh_known_hosts").touch()
        git = self.folder / "gitconfig"
        git.write_text("[safe]\n\tdirectory = *\n")
        return environment() | {
            **{name: str(folder) for name, folder in folders.items()},
            "KUBECONFIG": str(kubeconfig(self.kube, self.folder)),
            "REDIS_PASSWORD": self.password,
            "GIT_CONFIG_GLOBAL": str(git),
            "ARGOCD_ASK_PASS_SOCK": str(self.folder / "ask-pass.sock"),
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_RECONCILIATION_TIMEOUT": RECONCILIATION,
            "ARGOCD_RECONCILIATION_JITTER": "0",
        }

    def _redis_settings(self) -> str:
        # On its standard input: a password among the arguments could be read by any user of the machine.
        return f'port {self.redis}\nbind 127.0.0.1\nrequirepass {self.password}\nsave ""\nappendonly no\n'

    def _repo_server(self) -> list[str]:
        return [
            "argocd",
            "--address=127.0.0.1",
            f"--port={self.server}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={self.metrics}",
            "--disable-tls",
            f"--redis=127.0.0.1:{self.redis}",
        ]

    def _controller(self) -> list[str]:
        return [
            "argocd",
            f"--namespace={NAMESPACE}",
            f"--redis=127.0.0.1:{self.redis}",
            f"--repo-server=127.0.0.1:{self.server}",
            "--repo-server-plaintext",
            f"--metrics-port={self.controller}",
            # Else a resource's health is in Redis alone, for the user interface.
            "--persist-resource-health",
        ]


def remove(kube: Kube) -> None:
    """Take away what `install` made, once no Application is left to hold the namespace."""
    for plural in ("applicationsets", "applications", "appprojects"):
        left = kube.items(path("argoproj.io/v1alpha1", NAMESPACE, plural))
        for item in left:
            # Argo CD has stopped: nobody else would take its finalizer away.
            where = path("argoproj.io/v1alpha1", NAMESPACE, plural, item["metadata"]["name"])
            kube.patch(where, {"metadata": {"finalizers": None}})
            kube.delete(where)
    kube.delete(path("v1", "", "namespaces", NAMESPACE))
    kube.delete(path("rbac.authorization.k8s.io/v1", "", "clusterrolebindings", ACCOUNT))
    place = path("v1", "", "namespaces", NAMESPACE)
    until("The end of Argo CD's namespace", lambda: expect(not kube.get(place), "it is being emptied"), seconds=60)
    kube.kubectl("delete", "--ignore-not-found", "-k", str(source() / "crds"))
