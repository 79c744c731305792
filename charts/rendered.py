"""An example rendered with the real dependencies, and what stands in its objects."""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from charts.helm import CHART, objects, template

NAME, NAMESPACE = "sergas", "monitoring"
# Where an object holds a pod's spec, or a template of one.
POD_FIELDS = {"spec", "template", "jobTemplate"}


@dataclass(frozen=True)
class Rendered:
    """An example rendered with the real dependencies.

    Attributes:
        chart: folder of the chart, its dependencies unpacked under charts/.
        values: the example's values.yaml.
    """

    chart: Path
    values: Path

    @cached_property
    def text(self) -> str:
        """What `helm template` prints."""
        return template([self.values], chart=self.chart)

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """Its objects."""
        return objects(self.text)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The example's values."""
        found: dict[str, Any] = yaml.safe_load(self.values.read_text(encoding="utf-8")) or {}
        return found

    def on(self, dependency: str) -> bool:
        """Whether a dependency is switched on."""
        default = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))[dependency]["enabled"]
        return bool((self.settings.get(dependency) or {}).get("enabled", default))


def identity(item: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, namespace and name of an object."""
    return item["kind"], item["metadata"].get("namespace", NAMESPACE), item["metadata"]["name"]


def datasources(item: dict[str, Any]) -> Iterator[str]:
    """Addresses in the ConfigMaps of datasources that Grafana's sidecar reads."""
    if "grafana_datasource" in (item["metadata"].get("labels") or {}):
        for text in item["data"].values():
            yield from (entry["url"] for entry in yaml.safe_load(text)["datasources"])


def jobs_asked_for(items: list[dict[str, Any]]) -> set[str]:
    """Jobs that rules name with the stack's or our prefix; the others belong to what a cluster may hide."""
    rules = json.dumps([item["spec"] for item in items if item["kind"] == "PrometheusRule"])
    return set(re.findall(rf'\bjob=\\"({NAME}-(?:prometheus|alertmanager|operator))\\"', rules))


def selectors(items: list[dict[str, Any]]) -> set[str]:
    """Selectors of the stack's rules on what Prometheus and Alertmanager tell of themselves, from `job=` on."""
    expressions = [
        rule["expr"]
        for item in items
        if item["kind"] == "PrometheusRule" and "app.kubernetes.io/name" not in (item["metadata"].get("labels") or {})
        for group in item["spec"].get("groups") or []
        for rule in group.get("rules") or []
    ]
    return set(re.findall(rf'\b(job="{NAME}-(?:prometheus|alertmanager)"[^}}]*)', "\n".join(expressions)))


def jobs_given(items: list[dict[str, Any]]) -> set[str]:
    """Jobs that the ServiceMonitors give: a fixed one, or the name of the Service they find."""
    found = {f"{NAME}-prometheus", f"{NAME}-alertmanager"} & {
        item["metadata"]["name"] for item in items if item["kind"] == "ServiceMonitor"
    }
    for item in items:
        if item["kind"] == "ServiceMonitor":
            for endpoint in item["spec"]["endpoints"]:
                steps = (endpoint.get("relabelings") or []) + (endpoint.get("metricRelabelings") or [])
                found |= {step["replacement"] for step in steps if step.get("targetLabel") == "job"}
    return found


def pods(node: Any) -> Iterator[dict[str, Any]]:
    """Specs of pods in an object."""
    if isinstance(node, dict):
        if "containers" in node:
            yield node
        for key in POD_FIELDS & node.keys():
            yield from pods(node[key])


def release_bytes(case: Rendered) -> int:
    """About what the release takes in its Secret, in bytes."""
    ignored = {"charts", "examples", "tests"}
    files = [
        {"name": str(file), "data": base64.b64encode(file.read_bytes()).decode()}
        for file in sorted(case.chart.rglob("*"))
        if file.is_file() and file.relative_to(case.chart).parts[0] not in ignored
    ]
    release = json.dumps({"chart": files, "manifest": case.text, "config": case.settings})
    return len(base64.b64encode(gzip.compress(release.encode(), 9)))


def without_nulls(node: Any) -> Any:
    """`node` as the API server reads it, to which a field that is null is not there."""
    if isinstance(node, dict):
        return {key: without_nulls(part) for key, part in node.items() if part is not None}
    return [without_nulls(part) for part in node] if isinstance(node, list) else node
