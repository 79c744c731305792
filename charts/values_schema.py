"""The generated parts of values.schema.json: descriptions, the alerts' names, and the SergasMonitoring's spec.

Types and bounds stand in the file and are written there by hand.
"""

import json
from typing import Any

import yaml

from charts.helm import CHART
from charts.schemas import strict
from charts.values import Value, ours, read

FILE = CHART / "values.schema.json"
CRD = CHART / "crds" / "sergasmonitorings.yaml"
SPEC = "sergasMonitoringSpec"
Schema = dict[str, Any]


class UnknownValueError(Exception):
    """values.yaml has a key that values.schema.json does not know."""


def completed(schema: Schema) -> Schema:
    """`schema` with its generated parts written anew.

    Raises:
        UnknownValueError: naming the key and where to add it.
    """
    known = schema["properties"]["alerts"]["properties"]
    settings = {name: field for name, field in known.items() if not name[0].isupper()}
    schema["properties"]["alerts"]["properties"] = settings | {
        name: {"$ref": "#/definitions/alert"} for name in alert_names()
    }
    schema["definitions"][SPEC] = monitoring_spec()
    for value in ours(read()):
        field_of(schema, value)["description"] = value.description
    return schema


def field_of(schema: Schema, value: Value) -> Schema:
    """The schema of one key of values.yaml.

    Raises:
        UnknownValueError: when there is none.
    """
    place, written = schema, "properties"
    for key in value.path:
        place = resolved(schema, place)
        if key not in place.get("properties", {}):
            raise UnknownValueError(
                f"values.schema.json knows no {value.name}: add {key!r} with its type and bounds under {written}, "
                "then run `make generate`"
            )
        place, written = place["properties"][key], f"{written}.{key}.properties"
    return place


def resolved(schema: Schema, place: Schema) -> Schema:
    """`place`, or the definition it refers to."""
    reference = place.get("$ref", "")
    found: Schema = schema["definitions"][reference.rpartition("/")[2]] if reference else place
    return found


def alert_names() -> list[str]:
    """Names of all alerts, in the order of their files."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted((CHART / "alerts").glob("*.yaml"))]
    return [alert["name"] for file in files for alert in file["alerts"]]


def monitoring_spec() -> Schema:
    """JSON Schema of a SergasMonitoring's spec, from the CRD; its CEL rules are left to the API server."""
    crd = yaml.safe_load(CRD.read_text(encoding="utf-8"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    found: Schema = plain(strict(spec))
    return found


def plain(schema: Any) -> Any:
    """`schema` without the keywords that only Kubernetes knows, and without defaults: the API server fills them in."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    fields = {name: plain(field) for name, field in schema.get("properties", {}).items()}
    dropped = {"default", "properties"}
    rest = {
        keyword: plain(part)
        for keyword, part in schema.items()
        if keyword not in dropped and not keyword.startswith("x-kubernetes-")
    }
    return rest | ({"properties": fields} if fields else {})


def text() -> str:
    """What values.schema.json should hold."""
    schema = completed(json.loads(FILE.read_text(encoding="utf-8")))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
