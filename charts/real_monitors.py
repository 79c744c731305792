"""What must hold of monitors, the chart's and its real dependencies'. Each check yields a sentence for each problem."""

from collections.abc import Iterator
from typing import Any

import yaml

from charts.dependency_values import Dependency
from charts.helm import CHART
from charts.real import STACK
from charts.rendered import Rendered

MONITORS = {"ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"}
# Fields by which the Prometheus Operator lets a monitor name a file in Prometheus's pod.
FILE_FIELDS = {"bearerTokenFile", "caFile", "certFile", "keyFile"}


def our_monitors_of_kubernetes_know_the_stacks_settings(case: Rendered) -> Iterator[str]:
    """files/kubernetes-monitors.yaml holds what the stack's monitors are without a user's settings."""
    folder = case.chart / "charts" / STACK
    if not case.on(STACK) or not (folder / "templates").is_dir():
        return
    dependency = Dependency.read(folder)
    known = yaml.safe_load((CHART / "files" / "kubernetes-monitors.yaml").read_text(encoding="utf-8"))
    for key, monitor in known.items():
        found = dependency.default((key, "serviceMonitor")) or {}
        expected = {name: value for name, value in found.items() if name not in {"enabled", "port"}}
        for name in sorted({*expected, *monitor["settings"]}):
            if name not in expected or name not in monitor["settings"]:
                yield f"{key}.serviceMonitor.{name} is only in one of {STACK} {dependency.version} and our file"
            elif expected[name] != monitor["settings"][name]:
                yield f"{key}.serviceMonitor.{name} is {expected[name]!r} in {STACK} {dependency.version}"


def no_monitor_names_a_file_of_prometheus(case: Rendered) -> Iterator[str]:
    """Prometheus uses none that does: discovery.allowFileAccess is false."""
    for item in case.objects:
        if item["kind"] in MONITORS:
            for name in sorted(_fields(item["spec"]) & FILE_FIELDS):
                yield f"{item['kind']} {item['metadata']['name']} has {name}, and Prometheus does not use it"


def _fields(node: Any) -> set[str]:
    """Names of all fields in a YAML document."""
    if isinstance(node, list):
        return set().union(*map(_fields, node))
    if isinstance(node, dict):
        return set(node).union(*map(_fields, node.values()))
    return set()
