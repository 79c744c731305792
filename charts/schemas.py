"""Write strict JSON Schemas for kubeconform into build/schemas: Kubernetes's kinds, those of OTHERS, ours.

kubeconform would fetch Kubernetes's schemas from the internet. Here they are made from the Go modules of the pinned
versions: Kubernetes's swagger.json and other projects' CRDs. Strict: an unknown field is an error.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from charts.helm import CHART, ROOT

FOLDER = ROOT / "build" / "schemas"
# How kubeconform finds a file of ours; it fills the names in.
LOCATION = str(FOLDER / "{{ .ResourceKind }}-{{ .Group }}-{{ .ResourceAPIVersion }}.json")
Schema = dict[str, Any]
# Go modules that hold CRDs: the folder of tests/tools that pins the version, the module, where they lie in it.
OTHERS = (
    ("prometheus-operator", "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd"),
    ("argocd", "github.com/argoproj/argo-cd/v3", "manifests/crds"),
    ("flux", "github.com/fluxcd/source-controller", "config/crd/bases"),
    ("flux", "github.com/fluxcd/kustomize-controller", "config/crd/bases"),
    ("flux", "github.com/fluxcd/helm-controller", "config/crd/bases"),
)


class Loader(yaml.CSafeLoader):
    """Reads a bare `=` as text, as Kubernetes does; YAML 1.1 has a type of its own for it."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)

# Fields that the API server reads in more than one way, where swagger.json states one.
LENIENT: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
}


def pinned(tool: str, module: str) -> str:
    """The version of `module` that tests/tools/<tool>/go.mod asks for."""
    text = (ROOT / "tests" / "tools" / tool / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if not found:
        raise LookupError(f"tests/tools/{tool}/go.mod names no version of {module}. Add it with `go get {module}`.")
    return found.group(1)


def module_folder(module: str, version: str) -> Path:
    """Where Go keeps the source of `module`, downloaded if it is not there yet."""
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT / "tests")
    if done.returncode:
        raise LookupError(f"`{' '.join(command)}` failed. Check that Go reaches its module proxy. {done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


def strict(schema: Any) -> Any:
    """`schema` with every object of known fields closed to others.

    It walks from schema to schema, not from key to key: a field may well be called `properties`.
    """
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    closed = dict(schema)
    for keyword in {"items", "additionalProperties", "not"} & schema.keys():
        closed[keyword] = strict(schema[keyword])
    for keyword in {"allOf", "anyOf", "oneOf"} & schema.keys():
        closed[keyword] = [strict(part) for part in schema[keyword]]
    if "properties" in schema:
        closed["properties"] = {name: strict(field) for name, field in schema["properties"].items()}
        if not open_ended(schema):
            closed["additionalProperties"] = False
    return closed


def open_ended(schema: Schema) -> bool:
    """Whether other fields than those named may stand in `schema`."""
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    return bool(free) or "additionalProperties" in schema


def needed(name: str, definitions: dict[str, Schema], seen: set[str]) -> set[str]:
    """Names of all definitions that `name` refers to, itself included."""
    if name not in seen:
        seen.add(name)
        for reference in re.findall(r'"#/definitions/([^"]+)"', json.dumps(definitions[name])):
            needed(reference, definitions, seen)
    return seen


def core_schemas(swagger: Schema) -> Iterator[tuple[str, Schema]]:
    """(file name, schema) of every kind that swagger.json knows."""
    definitions = swagger["definitions"] | LENIENT
    for name, definition in swagger["definitions"].items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            parts = {part: strict(definitions[part]) for part in sorted(needed(name, definitions, set()))}
            yield (
                file_name(kind["group"], kind["version"], kind["kind"]),
                {
                    "$ref": f"#/definitions/{name}",
                    "definitions": parts,
                },
            )


def crd_schemas(text: str) -> Iterator[tuple[str, Schema]]:
    """(file name, schema) of every version of the CustomResourceDefinitions in `text`."""
    for crd in yaml.load_all(text, Loader=Loader):
        spec = crd["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
            yield file_name(spec["group"], version["name"], spec["names"]["kind"]), strict(schema)


def file_name(group: str, version: str, kind: str) -> str:
    """The name under LOCATION. For a kind of the core group kubeconform takes the version as the group."""
    return f"{kind.lower()}-{group or version}-{version}.json"


def write(folder: Path, schemas: Iterator[tuple[str, Schema]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas:
        # Whole or not at all: another process may be reading it, or writing the same.
        unfinished = folder / f".{name}.{os.getpid()}"
        unfinished.write_text(json.dumps(schema), encoding="utf-8")
        unfinished.replace(folder / name)


def third_party_crds() -> Iterator[Path]:
    """The CRDs of the projects in OTHERS; what else lies beside them is no CRD."""
    for tool, module, place in OTHERS:
        for file in sorted((module_folder(module, pinned(tool, module)) / place).glob("*.yaml")):
            if file.name != "kustomization.yaml":
                yield file


def main() -> None:
    """Write what is missing; third-party schemas are made once for each set of versions, ours every time."""
    kubernetes = pinned("kubernetes", "k8s.io/kubernetes")
    versions = [f"{module} {pinned(tool, module)}" for tool, module, _ in OTHERS]
    stamp, wanted = FOLDER / "versions", "\n".join([f"kubernetes {kubernetes}", *versions, ""])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        source = module_folder("k8s.io/kubernetes", kubernetes) / "api" / "openapi-spec" / "swagger.json"
        write(FOLDER, core_schemas(json.loads(source.read_text(encoding="utf-8"))))
        for file in third_party_crds():
            write(FOLDER, crd_schemas(file.read_text(encoding="utf-8")))
        stamp.write_text(wanted, encoding="utf-8")
    for file in sorted((CHART / "crds").glob("*.yaml")):
        write(FOLDER, crd_schemas(file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    try:
        main()
    except (LookupError, FileNotFoundError) as problem:
        sys.exit(str(problem))
