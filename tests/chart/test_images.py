"""The list of images is whole: what the chart runs, and what the operators it runs start."""

import subprocess
import sys

import pytest
import yaml

from charts.helm import CHART, ROOT, objects, template
from charts.images import images
from charts.real import ArchivesError, chart_with_dependencies, dependencies
from charts.versions import PARTS

EXAMPLES = CHART / "examples"
BARE = EXAMPLES / "bring-your-own-operator" / "values.yaml"


@pytest.fixture
def archives(tmp_path):
    """A folder with charts under the dependencies' names; the one of blackbox runs a pod."""
    for entry in dependencies():
        folder = tmp_path / entry["name"]
        (folder / "templates").mkdir(parents=True)
        (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2"} | entry))
    pod = {"kind": "Pod", "metadata": {"name": "b"}, "spec": {"containers": [{"name": "b", "image": "blackbox:1"}]}}
    (tmp_path / "prometheus-blackbox-exporter" / "templates" / "pod.yaml").write_text(yaml.safe_dump(pod))
    return tmp_path


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "charts.images", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_names_the_images_that_the_operator_starts_and_its_own():
    assert command(BARE) == (
        0,
        "ghcr.io/sergas/sergas-operator:0.1.0\n"
        f"quay.io/prometheus/alertmanager:v{PARTS['alertmanager'].version}\n"
        f"quay.io/prometheus/prometheus:v{PARTS['prometheus'].version}\n",
        "",
    )


def test_it_names_the_images_of_dependencies(archives):
    code, out, _ = command("--archives", archives, EXAMPLES / "default" / "values.yaml")
    assert code == 0
    assert "blackbox:1\n" in out


def test_a_dependency_that_is_on_and_not_there_ends_it_with_both_ways_to_get_it(tmp_path):
    code, out, err = command("--archives", tmp_path)
    assert (code, out) == (1, "")
    assert err == (
        f"kube-prometheus-stack-{PARTS['kubePrometheusStack'].version},"
        f" prometheus-pushgateway-{PARTS['pushgatewayChart'].version},"
        f" prometheus-blackbox-exporter-{PARTS['blackboxExporterChart'].version}: not in"
        f" {tmp_path}. Run `helm dependency update charts/sergas-monitoring` where its repositories can be reached, or"
        " name a folder that holds the archives: KPS_ARCHIVES=/path/to/archives\n"
    )


def test_a_dependency_of_another_version_is_not_taken(archives):
    file = archives / "prometheus-pushgateway" / "Chart.yaml"
    file.write_text(file.read_text().replace("3.8.0", "3.7.0"))
    with pytest.raises(ArchivesError, match=r"^prometheus-pushgateway-3\.8\.0: not in "):
        chart_with_dependencies(archives)


def test_it_looks_into_every_kind_of_container_wherever_a_pod_is_described():
    pod = {
        "initContainers": [{"name": "a", "image": "a:1"}],
        "containers": [
            {"name": "b", "image": "b:1", "env": [{"name": "SERGAS_X_IMAGE", "value": "c:1"}, {"name": "A"}]},
            {"name": "d", "image": "d:1", "args": ["--prometheus-config-reloader=e:1", "--x=f:1", 7]},
        ],
    }
    job = {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}
    assert images([job, {"spec": {"template": {"spec": pod}}}]) == ["a:1", "b:1", "c:1", "d:1", "e:1"]


@pytest.mark.parametrize("example", ["air-gapped", "private-registry"])
def test_a_registry_of_ones_own_takes_the_place_of_every_other(example):
    values = yaml.safe_load((EXAMPLES / example / "values.yaml").read_text())
    found = images(objects(template([EXAMPLES / example / "values.yaml"])))
    assert {image.partition("/")[0] for image in found} == {values["global"]["imageRegistry"]}


def test_prometheus_and_alertmanager_keep_the_tag_beside_a_digest_for_the_operator_reads_the_version_from_it():
    digest = "sha256:" + "0" * 64
    found = images(
        objects(template(settings=[f'{part}.image.digest="{digest}"' for part in ("prometheus", "operator")]))
    )
    assert f"quay.io/prometheus/prometheus:v{PARTS['prometheus'].version}@{digest}" in found
    assert f"ghcr.io/sergas/sergas-operator@{digest}" in found
