"""The packaged cluster's fixed facts: one node, its names, addresses and ports."""

from dataclasses import dataclass

CONTEXT = "sergas-packaged"
NODE = "sergas-node"
# Addresses of the documentation and benchmarking ranges (RFC 5737, RFC 2544): no real network has them. The node's is
# on `lo`; it cannot be in 127/8, which the API server refuses as an endpoint.
NODE_ADDRESS = "203.0.113.1"
PODS = "198.18.0.0/16"
NODE_PODS = "198.18.0.0/24"
SERVICES = "198.19.0.0/16"
API_SERVICE = "198.19.0.1"
DNS_SERVICE = "198.19.0.10"
API_PORT = 6443
SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"
BRIDGE = "sergas0"
NETWORK = "sergas"
PROVISIONER = "sergas.com/local-volumes"


@dataclass(frozen=True)
class Port:
    """A listening port: the daemon, the number, the address."""

    daemon: str
    number: int
    address: str


PORTS = (
    Port("etcd", 2379, "127.0.0.1"),
    Port("etcd", 2380, "127.0.0.1"),
    Port("kube-apiserver", API_PORT, NODE_ADDRESS),
    Port("kube-controller-manager", 10257, "127.0.0.1"),
    Port("kube-scheduler", 10259, "127.0.0.1"),
    Port("kubelet", 10250, NODE_ADDRESS),
    Port("kubelet", 10248, "127.0.0.1"),
    Port("kube-proxy", 10249, "127.0.0.1"),
    Port("kube-proxy", 10256, "127.0.0.1"),
)
