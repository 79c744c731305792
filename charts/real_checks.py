"""What must hold of the chart together with its real dependencies. Each check yields a sentence for each problem."""

import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from charts import stack_defaults, stack_names
from charts.dependency_values import Dependency, leaves
from charts.helm import CHART, KUBE_VERSION, RenderError, objects, template, tool
from charts.images import images
from charts.real import STACK
from charts.real_monitors import (
    no_monitor_names_a_file_of_prometheus,
    our_monitors_of_kubernetes_know_the_stacks_settings,
)
from charts.real_pods import every_container_has_requests_and_limits, every_pod_passes_restricted
from charts.rendered import (
    NAME,
    NAMESPACE,
    Rendered,
    datasources,
    identity,
    jobs_asked_for,
    jobs_given,
    pods,
    release_bytes,
    selectors,
    without_nulls,
)
from charts.schemas import LOCATION, crd_schemas, write
from charts.schemas import main as write_schemas
from charts.values import dependencies

# A Secret holds at most 1 MiB, and Helm keeps a release in one.
RELEASE_BYTES = 1024 * 1024


def both_helms_render_the_same(case: Rendered) -> Iterator[str]:
    """Helm 3 and 4 give the same objects; they order webhooks differently."""
    try:
        other = objects(template([case.values], chart=case.chart, program="helm4"))
    except RenderError as refused:
        yield f"Helm 4 refuses: {refused}"
    else:
        if sorted(other, key=identity) != sorted(case.objects, key=identity):
            yield "Helm 4 renders other objects than Helm 3"


def helm_finds_nothing_to_complain_about(case: Rendered) -> Iterator[str]:
    """`helm lint --strict`."""
    command = [tool("helm"), "lint", "--strict", "--quiet", "--kube-version", KUBE_VERSION]
    done = subprocess.run(
        [*command, "--values", str(case.values), str(case.chart)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield (done.stdout + done.stderr).strip()


def every_object_fits_its_schema(case: Rendered) -> Iterator[str]:
    """Kubeconform, strict, with the custom resource definitions that the stack brings itself."""
    write_schemas()
    with tempfile.TemporaryDirectory() as folder:
        for crd in sorted((case.chart / "charts" / STACK / "charts" / "crds" / "crds").glob("*.yaml")):
            write(Path(folder), crd_schemas(crd.read_text(encoding="utf-8")))
        locations = [str(Path(folder) / Path(LOCATION).name), LOCATION]
        command = [tool("kubeconform"), "-strict"]
        for location in locations:
            command += ["-schema-location", location]
        text = yaml.safe_dump_all([without_nulls(item) for item in case.objects])
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        yield from (done.stdout + done.stderr).strip().splitlines()


def promtool_accepts_every_rule(case: Rendered) -> Iterator[str]:
    """`promtool check rules`, of all PrometheusRules at once."""
    groups = []
    for item in case.objects:
        if item["kind"] == "PrometheusRule":
            # Group names are unique in one file only.
            given = item["spec"].get("groups") or []
            groups += [group | {"name": f"{item['metadata']['name']}/{group['name']}"} for group in given]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": groups}, file)
        file.flush()
        # Rules of ours and of the stack may record alike, and the stack's own lint findings are its own.
        command = [tool("promtool"), "check", "rules", "--lint=none", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield done.stderr.strip()


def every_value_we_hand_on_is_read(case: Rendered) -> Iterator[str]:
    """Keys that no template of a dependency reads would do nothing."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    for name in sorted(dependencies()):
        folder = case.chart / "charts" / name
        if not case.on(name) or not (folder / "templates").is_dir():
            continue
        dependency = Dependency.read(folder)
        for given in (defaults.get(name), case.settings.get(name)):
            for path in leaves(given or {}):
                if path != ("enabled",) and not dependency.reads(path):
                    yield f"{name} {dependency.version} reads no {'.'.join(path)}"


def our_advice_knows_the_stacks_defaults(case: Rendered) -> Iterator[str]:
    """files/stack-defaults.yaml is the real chart's, and files/moved-settings.yaml names what is in it."""
    folder = case.chart / "charts" / STACK
    if not case.on(STACK) or not (folder / "templates").is_dir():
        return
    dependency = Dependency.read(folder)
    if stack_defaults.read() != {name: dependency.values.get(name) for name in stack_defaults.SUBTREES}:
        yield f"{stack_defaults.FILE.name} is not what {STACK} {dependency.version} has: run `make stack-defaults`"
    for entries in yaml.safe_load((CHART / "files" / "moved-settings.yaml").read_text(encoding="utf-8")).values():
        for name in entries:
            if not dependency.knows(tuple(name.split("."))):
                yield f"{STACK} {dependency.version} knows no {name}"


def rules_and_datasources_meet_the_names_our_operator_gives(case: Rendered) -> Iterator[str]:
    """The names in stack_names.py, which a test on the cluster holds our operator to."""
    if not case.on(STACK):
        return
    wanted = stack_names.datasources(NAME, NAMESPACE)
    found = {url for item in case.objects for url in datasources(item)}
    if found != wanted:
        yield f"Grafana's datasources are {sorted(found)}, not {sorted(wanted)}"
    known = stack_names.selectors(NAME, NAMESPACE)
    for selector in sorted(selectors(case.objects)):
        if not any(selector.startswith(one) for one in known):
            yield f"rules select by {{{selector}}}, which is none of {', '.join(sorted(known))}"
    given = jobs_given(case.objects)
    for job in sorted(jobs_asked_for(case.objects) - given):
        yield f'rules ask for job="{job}", which no ServiceMonitor gives (they give {", ".join(sorted(given))})'


def dashboard_links_name_a_service_of_grafana(case: Rendered) -> Iterator[str]:
    """Links that open inside the cluster begin with the name of a Service."""
    services = {
        f"http://{name}.{namespace}" for kind, namespace, name in map(identity, case.objects) if kind == "Service"
    }
    rules = json.dumps([item["spec"] for item in case.objects if item["kind"] == "PrometheusRule"])
    for link in sorted(set(re.findall(rf'"dashboard_url": "(http://[^/"]+\.{NAMESPACE})[:/]', rules))):
        if link not in services:
            yield f"alerts link to {link}, and no Service has that name"


def no_object_is_rendered_twice(case: Rendered) -> Iterator[str]:
    """Two charts may give one name."""
    counts = Counter(identity(item) for item in case.objects)
    for (kind, namespace, name), count in counts.items():
        if count > 1:
            yield f"{kind} {namespace}/{name} is rendered {count} times"


def every_image_comes_from_the_registry_that_is_named(case: Rendered) -> Iterator[str]:
    """Where global.imageRegistry is set, so that a cluster behind it can run everything."""
    registry = (case.settings.get("global") or {}).get("imageRegistry")
    for image in images(case.objects) if registry else []:
        path = image.removeprefix(f"{registry}/")
        if path == image:
            yield f"{image} does not come from {registry}"
        elif "." in path.partition("/")[0]:
            yield f"{image} holds a second registry"


def every_pod_may_pull_its_images(case: Rendered) -> Iterator[str]:
    """Where global.imagePullSecrets is set, each pod names them, or the ServiceAccount it runs under does."""
    if not (case.settings.get("global") or {}).get("imagePullSecrets"):
        return
    accounts = {
        item["metadata"]["name"]
        for item in case.objects
        if item["kind"] == "ServiceAccount" and item.get("imagePullSecrets")
    }
    for item in case.objects:
        for pod in pods(item):
            if not pod.get("imagePullSecrets") and pod.get("serviceAccountName") not in accounts:
                yield f"{item['kind']} {item['metadata']['name']} names no imagePullSecrets"


def the_release_fits_a_secret(case: Rendered) -> Iterator[str]:
    """Helm keeps our files and all that is rendered in one Secret; files of the dependencies it leaves out."""
    size = release_bytes(case)
    if size > RELEASE_BYTES:
        yield f"the release takes {size} bytes, and a Secret holds {RELEASE_BYTES}"


CHECKS = (
    both_helms_render_the_same,
    helm_finds_nothing_to_complain_about,
    every_object_fits_its_schema,
    promtool_accepts_every_rule,
    every_value_we_hand_on_is_read,
    our_advice_knows_the_stacks_defaults,
    our_monitors_of_kubernetes_know_the_stacks_settings,
    no_monitor_names_a_file_of_prometheus,
    rules_and_datasources_meet_the_names_our_operator_gives,
    dashboard_links_name_a_service_of_grafana,
    no_object_is_rendered_twice,
    every_image_comes_from_the_registry_that_is_named,
    every_pod_may_pull_its_images,
    every_container_has_requests_and_limits,
    every_pod_passes_restricted,
    the_release_fits_a_secret,
)
