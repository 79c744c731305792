"""Certificates of one cluster, by openssl: elliptic-curve keys, made in about a second, dropped with the cluster."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from . import paths, topology
from .command import output

DAYS = "365"  # longer than any run lives
API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")


@dataclass(frozen=True)
class Certificate:
    """One leaf certificate: file name, issuer, subject, what it is for, and the names it answers to."""

    name: str
    subject: str
    usage: str = "clientAuth"
    issuer: str = "ca"
    alternatives: str = ""


def _api_alternatives() -> str:
    names = [f"DNS:{name}" for name in (*API_NAMES, "localhost")]
    return ",".join([*names, f"IP:{topology.API_SERVICE}", f"IP:{topology.NODE_ADDRESS}", "IP:127.0.0.1"])


def leaves() -> tuple[Certificate, ...]:
    """Every leaf certificate of the cluster."""
    node = f"DNS:{topology.NODE},IP:{topology.NODE_ADDRESS}"
    return (
        Certificate("apiserver", "/CN=kube-apiserver", "serverAuth", alternatives=_api_alternatives()),
        Certificate("apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
        Certificate("front-proxy-client", "/CN=front-proxy-client", issuer="front-proxy-ca"),
        Certificate("admin", "/O=system:masters/CN=admin"),
        Certificate("kube-controller-manager", "/CN=system:kube-controller-manager"),
        Certificate("kube-scheduler", "/CN=system:kube-scheduler"),
        Certificate("kube-proxy", "/CN=system:kube-proxy"),
        Certificate("local-volumes", "/O=system:masters/CN=local-volumes"),
        Certificate(
            "kubelet",
            f"/O=system:nodes/CN=system:node:{topology.NODE}",
            "clientAuth,serverAuth",
            alternatives=node,
        ),
    )


USERS = ("admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", "local-volumes", "kubelet")


def folder() -> Path:
    """Where keys and certificates are."""
    return paths.run() / "pki"


def make() -> None:
    """Make every key, certificate and kubeconfig, once for a cluster's life."""
    done = folder() / "complete"
    if done.exists():
        return
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    for authority in ("ca", "front-proxy-ca"):
        _authority(authority)
    _signing_key()
    for leaf in leaves():
        _leaf(leaf)
    for user in USERS:
        write_kubeconfig(user)
    done.touch()


def kubeconfig(user: str) -> Path:
    """The kubeconfig of one of USERS."""
    return paths.kubeconfig() if user == "admin" else folder() / f"{user}.kubeconfig"


def write_kubeconfig(user: str) -> None:
    """Write a kubeconfig that holds its certificates, readable by its owner alone."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": topology.CONTEXT,
        "contexts": [{"name": topology.CONTEXT, "context": {"cluster": topology.CONTEXT, "user": user}}],
        "clusters": [
            {
                "name": topology.CONTEXT,
                "cluster": {"server": topology.SERVER, "certificate-authority-data": _base64("ca.crt")},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _base64(f"{user}.crt"),
                    "client-key-data": _base64(f"{user}.key"),
                },
            }
        ],
    }
    path = kubeconfig(user)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1))  # JSON is YAML


def _base64(name: str) -> str:
    return base64.b64encode((folder() / name).read_bytes()).decode()


def _openssl(*arguments: str) -> None:
    output(["openssl", *arguments], "make the cluster's certificates", cwd=folder())


def _key(name: str) -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


def _authority(name: str) -> None:
    _key(name)
    extensions = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign")
    added = [word for extension in extensions for word in ("-addext", extension)]
    request = ["req", "-x509", "-new", "-sha256", "-days", DAYS, "-key", f"{name}.key", "-subj", f"/CN=sergas-{name}"]
    _openssl(*request, *added, "-out", f"{name}.crt")


def _signing_key() -> None:
    """The pair that signs and checks service account tokens."""
    _openssl("genrsa", "-out", "sa.key", "2048")
    _openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")


def _leaf(leaf: Certificate) -> None:
    _key(leaf.name)
    lines = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment"]
    lines += [f"extendedKeyUsage={leaf.usage}"]
    lines += [f"subjectAltName={leaf.alternatives}"] if leaf.alternatives else []
    (folder() / f"{leaf.name}.ext").write_text("\n".join(lines) + "\n")
    _openssl("req", "-new", "-key", f"{leaf.name}.key", "-subj", leaf.subject, "-out", f"{leaf.name}.csr")
    signing = ["x509", "-req", "-in", f"{leaf.name}.csr", "-CA", f"{leaf.issuer}.crt", "-CAkey", f"{leaf.issuer}.key"]
    signing += ["-CAcreateserial", "-days", DAYS, "-sha256", "-extfile", f"{leaf.name}.ext"]
    _openssl(*signing, "-out", f"{leaf.name}.crt")
