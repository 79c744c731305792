"""What is built from the Go module proxy. The versions stand in tests/tools/<module>/go.mod alone."""

import re
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .errors import ClusterError

PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"


@dataclass(frozen=True)
class Unit:
    """A set of binaries built by one `go build` each and published together.

    Attributes:
        name: what a user calls it.
        module: folder under tests/tools.
        binaries: file name in bin/ to Go package.
        pinned: the Go module whose pinned version the binaries report.
        ldflags: linker settings; `{version}` is that version, `{minor}` its second number.
        groups: who needs it: light (charts, rules, workflows, API-server tests), cluster (the packaged one), exporters
            (images of what watches databases, nodes and Kubernetes, for the packaged cluster), docker (kind), gitops
            (the tests with Argo CD), oldest (an API server of the oldest supported Kubernetes).
        absent: files that the pinned module's code embeds and its archive lacks, relative to the module.
    """

    name: str
    module: str
    binaries: tuple[tuple[str, str], ...]
    pinned: str
    ldflags: str = ""
    groups: tuple[str, ...] = ("cluster",)
    absent: tuple[str, ...] = ()


def _kubernetes(
    name: str, commands: tuple[str, ...], groups: tuple[str, ...], *, module: str = "kubernetes", suffix: str = ""
) -> Unit:
    return Unit(
        name,
        module,
        tuple((command + suffix, f"k8s.io/kubernetes/cmd/{command}") for command in commands),
        "k8s.io/kubernetes",
        "-X k8s.io/component-base/version.gitVersion={version} -X k8s.io/component-base/version.gitMajor=1"
        " -X k8s.io/component-base/version.gitMinor={minor}",
        groups,
    )


def _prometheus_family(
    name: str,
    module: str,
    pinned: str,
    commands: dict[str, str],
    groups: tuple[str, ...],
    *,
    absent: tuple[str, ...] = (),
) -> Unit:
    binaries = tuple((binary, f"{pinned}/{package}".rstrip("/")) for binary, package in commands.items())
    return Unit(name, module, binaries, pinned, f"-X {PROMETHEUS_VERSION}={{release}}", groups, absent)


HELM = "helm.sh/helm/v3"
HELM4 = "helm.sh/helm/v4"
UNITTEST = "github.com/helm-unittest/helm-unittest"
KUBECONFORM = "github.com/yannh/kubeconform"
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5"
ARGOCD = "github.com/argoproj/argo-cd/v3"
ACTIONLINT = "github.com/rhysd/actionlint"
OLDEST_SUFFIX = "-oldest"

UNITS = (
    Unit(
        "helm",
        "helm",
        (("helm", f"{HELM}/cmd/helm"),),
        HELM,
        f"-X {HELM}/internal/version.version={{version}}"
        f" -X {HELM}/pkg/lint/rules.k8sVersionMajor=1 -X {HELM}/pkg/lint/rules.k8sVersionMinor={{client_minor}}"
        f" -X {HELM}/pkg/chartutil.k8sVersionMajor=1 -X {HELM}/pkg/chartutil.k8sVersionMinor={{client_minor}}",
        ("light", "cluster", "docker"),
    ),
    # The chart is for both majors; the other programs of the project call `helm`.
    Unit(
        "helm4",
        "helm4",
        (("helm4", f"{HELM4}/cmd/helm"),),
        HELM4,
        f"-X {HELM4}/internal/version.version={{version}}",
        ("light", "cluster", "docker"),
    ),
    Unit(
        "helm-unittest",
        "helm-unittest",
        (("helm-unittest", f"{UNITTEST}/cmd/helm-unittest"),),
        UNITTEST,
        f"-X {UNITTEST}/internal/build.version={{release}}",
        ("light",),
    ),
    Unit(
        "kubeconform",
        "kubeconform",
        (("kubeconform", f"{KUBECONFORM}/cmd/kubeconform"),),
        KUBECONFORM,
        "-X main.version={version}",
        ("light",),
    ),
    _prometheus_family(
        "promtool", "prometheus", "github.com/prometheus/prometheus", {"promtool": "cmd/promtool"}, ("light",)
    ),
    _prometheus_family(
        "alertmanager",
        "alertmanager",
        "github.com/prometheus/alertmanager",
        {"amtool": "cmd/amtool", "alertmanager": "cmd/alertmanager"},
        ("light", "cluster"),
        # The compiled web pages are not in the module from 0.32 on: https://github.com/prometheus/alertmanager/pull/5113
        absent=("ui/app/dist/README",),
    ),
    Unit(
        "etcd", "etcd", (("etcd", "go.etcd.io/etcd/server/v3"),), "go.etcd.io/etcd/server/v3", "", ("light", "cluster")
    ),
    _kubernetes("kubectl", ("kubectl",), ("light", "cluster", "docker")),
    _kubernetes("kube-api", ("kube-apiserver", "kube-controller-manager"), ("light", "cluster")),
    _kubernetes(
        "kube-api-oldest",
        ("kube-apiserver", "kube-controller-manager"),
        ("oldest",),
        module="kubernetes-oldest",
        suffix=OLDEST_SUFFIX,
    ),
    _kubernetes("kube-node", ("kubelet", "kube-proxy", "kube-scheduler"), ("cluster",)),
    Unit("coredns", "node", (("coredns", "./coredns"),), "github.com/coredns/coredns"),
    Unit("pause", "node", (("pause", "./pause"),), "github.com/coredns/coredns"),
    Unit(
        "local-volumes",
        "local-volumes",
        (("local-volumes", "."),),
        "sigs.k8s.io/sig-storage-lib-external-provisioner/v13",
    ),
    _prometheus_family(
        "prometheus-operator",
        "prometheus-operator",
        OPERATOR,
        {
            "prometheus-operator": "cmd/operator",
            "prometheus-config-reloader": "cmd/prometheus-config-reloader",
        },
        ("cluster",),
    ),
    _prometheus_family(
        "prometheus",
        "prometheus",
        "github.com/prometheus/prometheus",
        {"prometheus": "cmd/prometheus"},
        ("light", "cluster"),
    ),
    _prometheus_family(
        "node-exporter", "exporters", "github.com/prometheus/node_exporter", {"node_exporter": ""}, ("exporters",)
    ),
    _prometheus_family(
        "blackbox-exporter",
        "exporters",
        "github.com/prometheus/blackbox_exporter",
        {"blackbox_exporter": ""},
        ("exporters",),
    ),
    _prometheus_family(
        "pushgateway", "exporters", "github.com/prometheus/pushgateway", {"pushgateway": ""}, ("exporters",)
    ),
    _prometheus_family(
        "postgres-exporter",
        "exporters",
        "github.com/prometheus-community/postgres_exporter",
        {"postgres_exporter": "cmd/postgres_exporter"},
        ("exporters",),
    ),
    _prometheus_family(
        "kube-state-metrics",
        "kube-state-metrics",
        "k8s.io/kube-state-metrics/v2",
        {"kube-state-metrics": ""},
        ("exporters",),
    ),
    Unit("kind", "kind", (("kind", "sigs.k8s.io/kind"),), "sigs.k8s.io/kind", "", ("light", "docker")),
    Unit(
        "actionlint",
        "actionlint",
        (("actionlint", f"{ACTIONLINT}/cmd/actionlint"),),
        ACTIONLINT,
        f"-X {ACTIONLINT}.version={{release}}",
        ("light",),
    ),
    Unit(
        "kustomize",
        "kustomize",
        (("kustomize", KUSTOMIZE),),
        KUSTOMIZE,
        "-X sigs.k8s.io/kustomize/api/provenance.version={version}",
        ("gitops",),
    ),
    # One program for all of Argo CD; the name it is called by says which part it is.
    Unit(
        "argocd",
        "argocd",
        (("argocd", f"{ARGOCD}/cmd"),),
        ARGOCD,
        f"-X {ARGOCD}/common.version={{release}}",
        ("gitops",),
    ),
)

GROUPS = ("light", "cluster", "exporters", "docker", "gitops", "oldest", "all")


def select(names: list[str]) -> list[Unit]:
    """The units that `names` (units or groups) stand for, each once, in building order.

    Raises:
        ClusterError: names an unknown one, and lists those that exist.
    """
    known = {unit.name for unit in UNITS}
    for name in names:
        if name not in known and name not in GROUPS:
            raise ClusterError(
                f"there is no tool {name!r}; write one of the groups {', '.join(GROUPS)}"
                f" or of the tools {', '.join(sorted(known))}"
            )
    return [u for u in UNITS if "all" in names or u.name in names or set(u.groups) & set(names)]


def pinned_version(go_mod: str, module: str) -> str:
    """Version of `module` in the text of a go.mod, with its leading v.

    Raises:
        ClusterError: when the file does not require it.
    """
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError(f"go.mod does not require {module}; add it with `go get {module}@<version>`")
    return found[1]


def release_version(module: str, version: str) -> str:
    """The version a program reports, for the version its Go module carries.

    Prometheus publishes release 3.13.5 as module v0.313.5 (the major number must stay below 2 in a module path without
    /v3): https://github.com/prometheus/prometheus#prometheus-code-base
    """
    major, minor, patch = version.removeprefix("v").split(".", 2)
    if module == "github.com/prometheus/prometheus" and major == "0":
        return f"{int(minor) // 100}.{int(minor) % 100}.{patch}"
    return f"{major}.{minor}.{patch}"


def linker_flags(unit: Unit, go_mod: str) -> str:
    """What `go build -ldflags` gets for the unit."""
    version = pinned_version(go_mod, unit.pinned)
    values = {"version": version, "release": release_version(unit.pinned, version), "minor": version.split(".")[1]}
    if "{client_minor}" in unit.ldflags:
        values["client_minor"] = pinned_version(go_mod, "k8s.io/client-go").split(".")[1]
    return f"-s -w {unit.ldflags.format(**values)}"


def module_folder(unit: Unit) -> Path:
    """Folder with the unit's go.mod."""
    return paths.TOOLS_SOURCE / unit.module


def release(name: str) -> str:
    """The version the unit `name` reports, without a leading v."""
    unit = select([name])[0]
    version = pinned_version((module_folder(unit) / "go.mod").read_text(), unit.pinned)
    return release_version(unit.pinned, version)
