"""The node: kubelet, kube-proxy, the volume provisioner, and what the kernel must be told before they start."""

import json
from pathlib import Path

import yaml

from . import bridge, hostfolders, mounts, paths, pki, runtime, topology
from .command import output
from .daemons import Daemon

# Many pods and their reloaders watch files; Linux's defaults (128 instances) run out at about 20 pods.
SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",  # Services between pods of one bridge: bridge.py
    "fs.inotify.max_user_instances": "8192",
    "fs.inotify.max_user_watches": "524288",
}


def daemons(bins: dict[str, Path]) -> tuple[Daemon, ...]:
    """kubelet, kube-proxy and the provisioner of local volumes."""
    return (
        Daemon("kubelet", (str(bins["kubelet"]), *_kubelet()), yaml.safe_dump(kubelet_configuration())),
        Daemon(
            "kube-proxy",
            (str(bins["kube-proxy"]), f"--config={proxy_file()}"),
            yaml.safe_dump(proxy_configuration()),
        ),
        Daemon("local-volumes", (str(bins["local-volumes"]), *_local_volumes())),
    )


def _kubelet() -> tuple[str, ...]:
    return (
        f"--config={kubelet_file()}",
        f"--kubeconfig={pki.kubeconfig('kubelet')}",
        f"--root-dir={kubelet_root()}",
        f"--cert-dir={kubelet_root() / 'pki'}",
        f"--hostname-override={topology.NODE}",
        f"--node-ip={topology.NODE_ADDRESS}",
        # cAdvisor learns from containerd which pod a container is of, and looks for it at Debian's socket otherwise.
        f"--containerd={runtime.socket()}",
    )


def _local_volumes() -> tuple[str, ...]:
    return (
        f"-kubeconfig={pki.kubeconfig('local-volumes')}",
        f"-root={volumes()}",
        f"-node={topology.NODE}",
        f"-provisioner={topology.PROVISIONER}",
    )


def volumes() -> Path:
    """Folder of the persistent volumes."""
    return paths.run() / "volumes"


def kubelet_root() -> Path:
    """The kubelet's folder: pods' volumes are mounted below it."""
    return paths.run() / "kubelet"


def kubelet_file() -> Path:
    """Where kubelet_configuration() is written."""
    return paths.run() / "kubelet.yaml"


def proxy_file() -> Path:
    """Where proxy_configuration() is written."""
    return paths.run() / "kube-proxy.yaml"


def kubelet_configuration() -> dict[str, object]:
    """KubeletConfiguration. No image garbage collection and late eviction: images cannot be pulled again, and the disk
    is the developer's."""
    authority = str(pki.folder() / "ca.crt")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": topology.NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": authority},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki.folder() / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki.folder() / "kubelet.key"),
        "clusterDomain": "cluster.local",
        "clusterDNS": [topology.DNS_SERVICE],
        "resolvConf": str(paths.run() / "resolv.conf"),
        "containerRuntimeEndpoint": f"unix://{runtime.socket()}",
        "podLogsDir": str(paths.run() / "pod-logs"),
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,  # kube-proxy brings its own nftables rules
        "serializeImagePulls": False,
        "maxOpenFiles": 20000,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "nodeStatusUpdateFrequency": "4s",
        "syncFrequency": "10s",
        "volumeStatsAggPeriod": "10s",  # a volume that fills shows within a scrape or two, not after a minute
        "volumePluginDir": str(kubelet_root() / "volume-plugins"),
    }


def proxy_configuration() -> dict[str, object]:
    """KubeProxyConfiguration. nftables keeps all rules in two tables that can be dropped whole; conntrack limits of 0
    leave the machine's."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": topology.PODS,
        "hostnameOverride": topology.NODE,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(pki.kubeconfig("kube-proxy"))},
        "conntrack": {"maxPerCore": 0, "min": 0},
    }


def write_configuration() -> None:
    """Write every configuration file of the node and the API server."""
    files = {
        runtime.config_file(): runtime.configuration(),
        runtime.network_file(): runtime.network(),
        kubelet_file(): yaml.safe_dump(kubelet_configuration()),
        proxy_file(): yaml.safe_dump(proxy_configuration()),
        paths.run() / "resolv.conf": "options ndots:1\n",  # pods with dnsPolicy Default have no name server
        paths.run() / "audit-policy.yaml": (paths.MANIFESTS / "audit-policy.yaml").read_text(),
    }
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        # kube-proxy ends when its file is written, even with the same words.
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def prepare_kernel() -> None:
    """Load br_netfilter, set sysctls (their old values are kept for `down`), give the node its address, and make the
    kubelet's folder a mount that propagates."""
    hostfolders.remember()
    bridge.load()
    _remember_sysctls()
    for name, value in SYSCTLS.items():
        if int(_sysctl(name).read_text()) < int(value):
            _sysctl(name).write_text(value)
    address = f"{topology.NODE_ADDRESS}/32"
    if address not in output(["ip", "-o", "address", "show", "dev", "lo"], "read addresses"):
        output(["ip", "address", "add", address, "dev", "lo"], f"give lo the address {address}")
    root = kubelet_root()
    root.mkdir(parents=True, exist_ok=True)
    volumes().mkdir(exist_ok=True)
    if not mounts.is_mounted(root):
        output(["mount", "--bind", str(root), str(root)], "mount the kubelet's folder")
    output(["mount", "--make-rshared", str(root)], "share the kubelet's folder")


def _remember_sysctls() -> None:
    file = sysctls_file()
    if not file.exists():
        file.write_text(json.dumps({name: _sysctl(name).read_text().strip() for name in SYSCTLS}))


def restore_sysctls() -> None:
    """Put back what prepare_kernel() found."""
    if sysctls_file().exists():
        for name, value in json.loads(sysctls_file().read_text()).items():
            if _sysctl(name).exists():  # not after its module has been unloaded
                _sysctl(name).write_text(value)


def sysctls_file() -> Path:
    """Where the machine's own values are kept."""
    return paths.run() / "sysctls.json"


def _sysctl(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")
