"""Control plane: etcd, API server, controller manager, scheduler."""

from pathlib import Path

from . import paths, pki, topology
from .daemons import Daemon

# One file of at most 50 MB and two older ones: hours of tests.
AUDIT = ("--audit-log-maxsize=50", "--audit-log-maxbackup=2", "--audit-log-format=json")


def daemons(bins: dict[str, Path]) -> tuple[Daemon, ...]:
    """In the order they are started."""
    return (
        Daemon("etcd", (str(bins["etcd"]), *_etcd())),
        Daemon("kube-apiserver", (str(bins["kube-apiserver"]), *_apiserver()), _policy().read_text()),
        Daemon("kube-controller-manager", (str(bins["kube-controller-manager"]), *_client(), *_controller_manager())),
        Daemon("kube-scheduler", (str(bins["kube-scheduler"]), *_client("kube-scheduler"))),
    )


def _etcd() -> tuple[str, ...]:
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return (
        "--name=sergas",
        f"--data-dir={paths.run() / 'etcd'}",
        "--unsafe-no-fsync",  # the state is thrown away with the cluster
        "--log-level=warn",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sergas={peer}",
    )


def _policy() -> Path:
    return paths.MANIFESTS / "audit-policy.yaml"


def _apiserver() -> tuple[str, ...]:
    keys = pki.folder()
    return (
        "--etcd-servers=http://127.0.0.1:2379",
        f"--bind-address={topology.NODE_ADDRESS}",
        f"--advertise-address={topology.NODE_ADDRESS}",
        f"--secure-port={topology.API_PORT}",
        f"--service-cluster-ip-range={topology.SERVICES}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={keys / 'ca.crt'}",
        f"--tls-cert-file={keys / 'apiserver.crt'}",
        f"--tls-private-key-file={keys / 'apiserver.key'}",
        f"--kubelet-client-certificate={keys / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={keys / 'apiserver-kubelet-client.key'}",
        f"--kubelet-certificate-authority={keys / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={keys / 'sa.pub'}",
        f"--service-account-signing-key-file={keys / 'sa.key'}",
        f"--requestheader-client-ca-file={keys / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={keys / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={keys / 'front-proxy-client.key'}",
        f"--audit-policy-file={paths.run() / 'audit-policy.yaml'}",
        f"--audit-log-path={paths.audit_log()}",
        *AUDIT,
    )


def _client(user: str = "kube-controller-manager") -> tuple[str, ...]:
    config = pki.kubeconfig(user)
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return (*(f"--{name}={config}" for name in names), "--leader-elect=false", "--bind-address=127.0.0.1")


def _controller_manager() -> tuple[str, ...]:
    keys = pki.folder()
    return (
        "--use-service-account-credentials=true",
        f"--root-ca-file={keys / 'ca.crt'}",
        f"--service-account-private-key-file={keys / 'sa.key'}",
        f"--cluster-signing-cert-file={keys / 'ca.crt'}",
        f"--cluster-signing-key-file={keys / 'ca.key'}",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={topology.PODS}",
        "--node-cidr-mask-size=24",
        f"--service-cluster-ip-range={topology.SERVICES}",
    )
