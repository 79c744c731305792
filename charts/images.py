"""Print every image that the rendered chart would run, one a line: `python -m charts.images [values.yaml ...]`.

The images that operators start are among them: they stand in an operator's environment or arguments.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from charts.helm import RenderError, objects, template
from charts.real import ArchivesError, chart_with_dependencies

CONTAINERS = {"containers", "initContainers", "ephemeralContainers"}
# What an operator is told of the images it starts. Of what a Prometheus Operator may start, only the reloader is: the
# images of Prometheus and Alertmanager are named by the Sergas operator, and nothing here asks for Thanos.
TOLD_BY_VARIABLE = re.compile(r"[A-Z_]+_IMAGE")
TOLD_BY_ARGUMENT = re.compile(r"--prometheus-config-reloader=(\S+)")


def images(rendered: list[dict[str, Any]]) -> list[str]:
    """Every image of these objects, each once, sorted."""
    return sorted({image for item in rendered for container in containers(item) for image in of_container(container)})


def containers(node: Any) -> Iterator[dict[str, Any]]:
    """Every container anywhere in an object."""
    if isinstance(node, list):
        for part in node:
            yield from containers(part)
    elif isinstance(node, dict):
        for key, part in node.items():
            if key in CONTAINERS and isinstance(part, list):
                yield from part
            else:
                yield from containers(part)


def of_container(container: dict[str, Any]) -> Iterator[str]:
    """The container's own image, and those it is told to start."""
    if "image" in container:
        yield container["image"]
    for variable in container.get("env") or []:
        if TOLD_BY_VARIABLE.fullmatch(variable["name"]):
            yield variable["value"]
    for argument in container.get("args") or []:
        if told := TOLD_BY_ARGUMENT.fullmatch(str(argument)):
            yield told[1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Print every image the chart would run with these values.")
    parser.add_argument("--archives", type=Path, help="folder with the dependencies' archives")
    parser.add_argument("values", nargs="*", type=Path)
    given = parser.parse_args()
    try:
        chart = chart_with_dependencies(given.archives, given.values)
        print("\n".join(images(objects(template(given.values, chart=chart)))))
    except (ArchivesError, RenderError) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
