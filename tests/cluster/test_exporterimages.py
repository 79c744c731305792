import json
import tarfile
from pathlib import Path

import pytest
import yaml
from sergas_cluster import archive, debianimage, exporterimages, paths, pins, pythonbase

MANIFESTS = paths.CHECKOUT / "tests" / "e2e" / "exporters"


def test_every_exporter_that_is_built_is_packed_and_every_one_packed_is_built():
    assert set(exporterimages.PLACES) == {unit.name for unit in pins.select(["exporters"])}


def test_an_exporter_goes_by_the_name_and_version_of_the_real_image():
    version = pins.release("node-exporter")
    assert exporterimages.names()["node-exporter"] == f"quay.io/prometheus/node-exporter:v{version}"


def images():
    for file in MANIFESTS.glob("*.yaml"):
        for item in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            pod = item.get("spec", {}).get("template", {}).get("spec", {})
            yield from (container["image"] for container in pod.get("containers", ()))


def test_the_manifests_run_exactly_the_images_that_are_made():
    assert sorted(images()) == sorted(exporterimages.names().values())


def test_a_program_lies_where_it_lies_in_the_real_image():
    bins = {binary: Path(f"/built/{binary}") for unit in pins.select(["exporters"]) for binary, _ in unit.binaries}
    image = exporterimages._image("kube-state-metrics", bins)
    assert image.files == {"kube-state-metrics": Path("/built/kube-state-metrics")}
    assert image.entrypoint == ("/kube-state-metrics",)
    assert image.user == "65534"


def test_the_databases_go_by_three_names_and_are_made_once():
    assert exporterimages.DATABASES.tags == tuple(
        exporterimages.names()[name] for name in ("postgres", "redis", "redis-exporter")
    )


@pytest.mark.parametrize("field", ["tags", "packages", "unwanted"])
def test_a_changed_recipe_is_another_image(field):
    changed = debianimage.Recipe(**(vars(pythonbase.RECIPE) | {field: (*getattr(pythonbase.RECIPE, field), "more")}))
    assert debianimage.key(changed) != pythonbase.key()


def test_an_image_with_several_names_carries_them_all(tmp_path):
    image = archive.Image(("a:1", "b:2"), texts={"etc/hostname": "x\n"})
    archive.write(image, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
    assert manifest[0]["RepoTags"] == ["a:1", "b:2"]
