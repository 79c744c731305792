"""Grafana can read every dashboard: its own types say so, and so does the JSON Schema made from them.

The types are of the Grafana that the chart's kube-prometheus-stack installs: tests/dashboards/schema/package.json.
"""

import json
import re
import subprocess
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest

SCHEMA = Path(__file__).parent / "schema"
PROGRAMS = SCHEMA / "node_modules" / ".bin"


def program(name, *arguments, cwd=SCHEMA):
    if not (PROGRAMS / name).exists():
        pytest.fail(f"{PROGRAMS / name} is not there: run `make dashboard-schema`.")
    return subprocess.run([PROGRAMS / name, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


def first_figure(dashboard):
    return next(panel for panel in dashboard["panels"] if panel["type"] == "stat")


@pytest.fixture(scope="module")
def broken(dashboards):
    """Dashboards with one fault each."""
    faults = {name: deepcopy(dashboards["system-overview"]) for name in ("colour", "key", "kind", "query")}
    first_figure(faults["colour"])["options"]["colorMode"] = "pink"
    first_figure(faults["key"])["options"]["colourMode"] = "background"
    first_figure(faults["kind"])["type"] = "singlestat"
    del first_figure(faults["query"])["targets"][0]["expr"]
    return faults


@pytest.fixture(scope="module")
def type_errors(tmp_path_factory, dashboards, broken):
    """What the TypeScript compiler says of each dashboard, all of them in one run."""
    folder = tmp_path_factory.mktemp("typed")
    for name, dashboard in (dashboards | broken).items():
        head = f"import type {{ PlainShipped }} from '{SCHEMA}/plain';\nexport default "
        (folder / f"{name}.ts").write_text(f"{head}{json.dumps(dashboard)} satisfies PlainShipped;\n", encoding="utf-8")
    config = {"extends": str(SCHEMA / "tsconfig.json"), "files": [], "include": ["*.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(config), encoding="utf-8")
    said = program("tsc", "--pretty", "false", "-p", str(folder), cwd=folder).stdout
    found = {}
    for line in said.splitlines():
        if place := re.match(r"([^\s(]+)\.ts\(\d+,\d+\): error", line):
            found.setdefault(Path(place[1]).name, []).append(line)
    return found


@pytest.fixture(scope="module")
def validator():
    made = program(
        "ts-json-schema-generator",
        *(
            "--path",
            "types.ts",
            "--tsconfig",
            "tsconfig.json",
            "--type",
            "Shipped",
            "--no-type-check",
            "--expose",
            "none",
        ),
    )
    assert made.returncode == 0, made.stderr
    return jsonschema.Draft7Validator(json.loads(made.stdout))


def test_the_compiler_accepts_every_dashboard_and_refuses_those_with_a_fault(type_errors, broken):
    assert set(type_errors) == set(broken), type_errors


def test_every_dashboard_is_valid_by_the_schema(shipped, validator):
    errors = [jsonschema.exceptions.best_match([error]) for error in validator.iter_errors(shipped)]
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("fault", ["colour", "key", "kind", "query"])
def test_a_dashboard_with_a_fault_is_not_valid_by_the_schema(broken, validator, fault):
    assert not validator.is_valid(broken[fault])
