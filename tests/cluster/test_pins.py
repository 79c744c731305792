import pytest
import yaml
from sergas_cluster import paths, pins
from sergas_cluster.errors import ClusterError


def test_a_group_selects_every_tool_that_belongs_to_it():
    assert {unit.name for unit in pins.select(["docker"])} == {"helm", "helm4", "kubectl", "kind"}


def test_the_light_group_holds_what_charts_rules_and_api_server_tests_need_and_no_node():
    binaries = {binary for unit in pins.select(["light"]) for binary, _ in unit.binaries}
    needed = {
        "helm",
        "helm4",
        "helm-unittest",
        "kubeconform",
        "promtool",
        "prometheus",
        "amtool",
        "etcd",
        "kube-apiserver",
        "kubectl",
    }
    assert needed <= binaries
    assert "kubelet" not in binaries


def test_the_light_and_cluster_groups_build_no_exporter():
    exporters = {unit.name for unit in pins.select(["exporters"])}
    assert "node-exporter" in exporters
    assert not exporters & {unit.name for unit in pins.select(["light", "cluster", "docker"])}


def test_no_tool_bears_the_name_of_a_group():
    assert not {unit.name for unit in pins.UNITS} & set(pins.GROUPS)


def test_a_tool_named_twice_is_built_once():
    assert [unit.name for unit in pins.select(["helm", "docker", "helm"])].count("helm") == 1


def test_an_unknown_tool_is_refused_with_those_that_exist():
    with pytest.raises(ClusterError) as refused:
        pins.select(["helmm"])
    known = ", ".join(sorted(unit.name for unit in pins.UNITS))
    assert str(refused.value) == (
        "there is no tool 'helmm'; write one of the groups light, cluster, exporters, docker, gitops, oldest, all"
        f" or of the tools {known}"
    )


@pytest.mark.parametrize("unit", pins.UNITS, ids=lambda unit: unit.name)
def test_every_tool_reports_the_version_its_go_mod_pins(unit):
    go_mod = (pins.module_folder(unit) / "go.mod").read_text()
    flags = pins.linker_flags(unit, go_mod)
    assert pins.pinned_version(go_mod, unit.pinned).startswith("v")
    assert "{" not in flags


def test_prometheus_reports_its_release_not_its_module_version():
    assert pins.release_version("github.com/prometheus/prometheus", "v0.313.5") == "3.13.5"
    assert pins.release_version("github.com/prometheus/alertmanager", "v0.35.0") == "0.35.0"


def test_helm_renders_for_the_kubernetes_version_of_its_client():
    unit = pins.select(["helm"])[0]
    go_mod = f"require (\n\t{unit.pinned} v3.22.0 // indirect\n\tk8s.io/client-go v0.34.1 // indirect\n)\n"
    assert "chartutil.k8sVersionMinor=34" in pins.linker_flags(unit, go_mod)


def test_a_version_is_not_taken_from_a_module_whose_name_only_begins_alike():
    go_mod = "require (\n\texample.com/tool/v3 v3.1.0\n\texample.com/tool v1.0.0\n)\n"
    assert pins.pinned_version(go_mod, "example.com/tool") == "v1.0.0"


def test_a_module_that_is_not_required_is_named_with_the_command_that_adds_it():
    with pytest.raises(ClusterError) as refused:
        pins.pinned_version("module x\n", "example.com/tool")
    assert str(refused.value) == (
        "go.mod does not require example.com/tool; add it with `go get example.com/tool@<version>`"
    )


PARTS = yaml.safe_load((paths.CHECKOUT / "versions.yaml").read_text())


@pytest.mark.parametrize("unit", pins.UNITS, ids=lambda unit: unit.name)
def test_versions_yaml_names_the_version_of_every_go_mod(unit):
    of_module = {pins.select([part["unit"]])[0].module: part for part in PARTS.values() if "unit" in part}
    of_unit = {part["unit"]: part for part in PARTS.values() if "unit" in part}
    part = of_unit.get(unit.name) or of_module.get(unit.module)
    assert part is not None, f"versions.yaml has no entry for {unit.name}"
    if unit.pinned == pins.select([part["unit"]])[0].pinned:
        pinned = pins.release(unit.name)
        assert part["version"] == pinned, f"write {pinned} and its end of support into versions.yaml: {part['name']}"
