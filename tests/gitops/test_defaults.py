"""What Argo CD compares with the cluster holds no field that the API server would drop or add.

Argo CD shows such an object as OutOfSync for ever, and applies it again and again.
"""

import json

import pytest
import yaml

from charts.helm import CHART, objects, template
from charts.schemas import module_folder, pinned

CRD = yaml.safe_load((CHART / "crds" / "sergasmonitorings.yaml").read_text(encoding="utf-8"))
SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


@pytest.fixture(scope="module")
def known():
    """Every key that Kubernetes knows in the schema of a CRD, and in a rule of it."""
    folder = module_folder("k8s.io/kubernetes", pinned("kubernetes", "k8s.io/kubernetes"))
    definitions = json.loads((folder / "api/openapi-spec/swagger.json").read_text(encoding="utf-8"))["definitions"]
    return set(definitions[SCHEMA]["properties"])


def parts(schema, where):
    """Yield (place, schema) of a schema and of all in it."""
    yield where, schema
    for name, field in schema.get("properties", {}).items():
        yield from parts(field, f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from parts(schema[key], f"{where}.{key}")


def test_the_crd_holds_no_key_that_kubernetes_does_not_know(known):
    [version] = CRD["spec"]["versions"]
    unknown = [
        f"{where}: {key}"
        for where, schema in parts(version["schema"]["openAPIV3Schema"], "")
        for key in schema.keys() - known
    ]
    assert not unknown, "a comma in an unquoted description begins another key"


def test_the_crd_writes_its_default_conversion_down():
    assert CRD["spec"]["conversion"] == {"strategy": "None"}


def test_every_relabeling_writes_its_default_action_down():
    for item in objects(template()):
        if item["kind"] == "ServiceMonitor":
            for endpoint in item["spec"]["endpoints"]:
                for rule in endpoint.get("relabelings", []) + endpoint.get("metricRelabelings", []):
                    assert "action" in rule, item["metadata"]["name"]
