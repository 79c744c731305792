"""Traffic between pods passes the node's bridge, and must pass netfilter there for Services to work.

A pod that asks a Service whose pod is on the same bridge sends through kube-proxy's rules, which rewrite the address.
The answer crosses the bridge alone. Without br_netfilter nothing rewrites it back, and the asking pod drops it.
"""

import json
import sys
from pathlib import Path

from . import debian, paths, topology
from .command import output, succeeds
from .errors import ClusterError

FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
MODULE = "br_netfilter"
CONNECT_SECONDS = 2
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))"
DNS_PORT = 53


def load() -> None:
    """Have the kernel show bridged packets to netfilter. The sysctl is set with the others (node.SYSCTLS).

    Raises:
        ClusterError: when the module cannot be loaded.
    """
    if FILTER.exists():
        return
    modprobe = debian.program("modprobe")
    if modprobe and succeeds([modprobe, MODULE]) and FILTER.exists():
        _marker().touch()
        return
    how = f"`modprobe {MODULE}` failed" if modprobe else "modprobe is missing (Debian's package kmod)"
    raise ClusterError(
        f"the kernel module {MODULE} is not loaded and {how}; without it pods cannot reach Services whose pods are on"
        f" the same node. Load it (in a container: on its host): modprobe {MODULE}"
    )


def unload() -> None:
    """Unload the module if load() loaded it."""
    if _marker().exists():
        succeeds([debian.program("modprobe") or "modprobe", "--remove", MODULE])


def _marker() -> Path:
    return paths.run() / "br_netfilter-loaded"


def service_reached() -> bool:
    """Whether a connection from a pod's network to a Service arrives at another pod: DNS, from any pod but its own."""
    answering = _addresses_of_dns()
    asking = [namespace for namespace in _pod_networks() if not _addresses(namespace) & answering]
    return bool(answering) and any(_connects(namespace) for namespace in asking)


def _pod_networks() -> list[Path]:
    """Network namespaces of our pods, as files."""
    return sorted((paths.run() / "containerd").glob("*/netns/*"))


def _inside(namespace: Path, *command: str) -> list[str]:
    return ["nsenter", f"--net={namespace}", *command]


def _connects(namespace: Path) -> bool:
    target = (topology.DNS_SERVICE, str(DNS_PORT), str(CONNECT_SECONDS))
    return succeeds(_inside(namespace, sys.executable, "-c", CONNECT, *target))


def _addresses(namespace: Path) -> set[str]:
    ip = debian.program("ip") or "ip"
    listed = json.loads(output(_inside(namespace, ip, "-json", "address"), f"read the addresses of {namespace}"))
    return {address["local"] for link in listed for address in link["addr_info"]}


def _addresses_of_dns() -> set[str]:
    from . import addons  # noqa: PLC0415  it waits for what this module checks

    listed = json.loads(
        output(
            addons.kubectl(
                "get",
                "endpointslices",
                "--namespace=kube-system",
                "--selector=kubernetes.io/service-name=kube-dns",
                "--output=json",
            ),
            "read the endpoints of DNS",
            env=addons.environment(),
        )
    )
    return {
        address
        for item in listed["items"]
        for endpoint in item.get("endpoints") or ()
        for address in endpoint["addresses"]
    }
