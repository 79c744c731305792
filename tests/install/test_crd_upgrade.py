"""The CRD is upgraded by one command; the chart says when it is needed, and stored objects come through it unharmed."""

import re
from copy import deepcopy

import pytest
import yaml
from holding import holds

from charts.helm import CHART, stubbed

pytestmark = pytest.mark.apiserver

CRD = yaml.safe_load((CHART / "crds" / "sergasmonitorings.yaml").read_text(encoding="utf-8"))
CRD_NAME = CRD["metadata"]["name"]
NEW = {"spec.prometheus.scheduling.tolerations[].tolerationSeconds", "spec.alertmanager.scheduling"}


def spec_schema(crd):
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def older():
    """The CRD as it was before the fields in NEW, and without the rules that read them."""
    crd = deepcopy(CRD)
    properties = spec_schema(crd)["properties"]
    del properties["alertmanager"]["properties"]["scheduling"]
    toleration = properties["prometheus"]["properties"]["scheduling"]["properties"]["tolerations"]["items"]
    del toleration["properties"]["tolerationSeconds"], toleration["x-kubernetes-validations"]
    return crd


def monitoring(name, spec):
    return {
        "apiVersion": "monitoring.sergas.com/v1alpha1",
        "kind": "SergasMonitoring",
        "metadata": {"name": name},
        "spec": spec,
    }


@pytest.fixture
def stored(cluster, namespace):
    """Two objects made under the older CRD, as they were stored."""
    cluster.apply_crd(older())
    spec = {
        "prometheus": {"replicas": 1, "scheduling": {"tolerations": [{"key": "a", "operator": "Exists"}]}},
        "receivers": [{"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}],
    }
    for item in (monitoring("empty", {}), monitoring("full", spec)):
        cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=yaml.safe_dump(item))
    return {name: cluster.read(namespace, "sergasmonitoring", name) for name in ("empty", "full")}


def test_an_older_crd_stops_the_installation_with_the_command_that_upgrades_it(cluster, namespace, stored):
    said = cluster.install(namespace)
    assert said.code == 1
    [advice] = re.findall(r"^- crds: .*$", said.err, re.MULTILINE)
    fields, _, command = advice.removeprefix("- crds: the CRD in the cluster does not know ").partition(
        ", and Helm never"
    )
    assert set(fields.split(", ")) == NEW
    assert command == (
        " upgrades CRDs. Run `kubectl apply --server-side --force-conflicts --filename crds/` in the chart's folder,"
        " then try again."
    )
    assert cluster.kubectl("-n", namespace, "get", "deployments,serviceaccounts", "-o", "name") == ""
    # Who may not read CRDs leaves the check out.
    assert cluster.install(namespace, crds__check="false").code == 0


def test_the_command_upgrades_it_and_every_stored_object_stays_as_it_was(cluster, namespace, stored):
    command = ["kubectl", "apply", "--server-side", "--force-conflicts", "--filename", "crds/"]
    upgrade = cluster.run(*command, cwd=stubbed())
    assert upgrade.code == 0, upgrade.err
    assert cluster.install(namespace).code == 0
    for name, before in stored.items():
        after = cluster.read(namespace, "sergasmonitoring", name)
        assert after["metadata"] == before["metadata"]
        assert holds(after["spec"], before["spec"])
    toleration = {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}
    change = monitoring("full", {"prometheus": {"scheduling": {"tolerations": [toleration]}}})
    cluster.kubectl(
        "-n", namespace, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(change)
    )
    after = cluster.read(namespace, "sergasmonitoring", "full")
    assert after["spec"]["prometheus"]["scheduling"]["tolerations"] == [toleration]
    assert after["metadata"]["uid"] == stored["full"]["metadata"]["uid"]


def test_an_older_crd_stops_an_upgrade_too_and_the_release_stays_as_it_was(cluster, namespace):
    cluster.apply_crd(CRD)
    assert cluster.install(namespace).code == 0
    cluster.apply_crd(older())
    refused = cluster.release("upgrade", namespace, operator__workers="4")
    assert refused.code == 1
    assert "- crds: the CRD in the cluster does not know spec.alertmanager.scheduling" in refused.err
    deployment = cluster.read(namespace, "deployment", "sergas-operator")
    environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "SERGAS_WORKERS", "value": "8"} in environment


def test_a_cluster_without_the_crd_gets_it_and_keeps_it_after_the_release(cluster, namespace):
    cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found")
    assert cluster.release("install", namespace).code == 0
    assert cluster.helm("uninstall", "sergas", "-n", namespace).code == 0
    assert cluster.kubectl("get", "crd", CRD_NAME, "-o", "name").strip().endswith(CRD_NAME)


def test_a_crd_that_kubectl_applied_stays_as_it_is(cluster, namespace):
    """Helm 4 applies CRDs with each installation, and says the same as kubectl did."""
    cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found")
    cluster.apply_crd(CRD)
    before = cluster.read(namespace, "crd", CRD_NAME)["spec"]
    said = cluster.release("install", namespace)
    assert said.code == 0, said.err
    assert cluster.read(namespace, "crd", CRD_NAME)["spec"] == before


def test_a_newer_crd_that_kubectl_applied_is_left_alone_by_helm_3_and_needs_skip_crds_with_helm_4(cluster, namespace):
    """Helm 4 does not take fields from others unless it is forced to."""
    newer = deepcopy(CRD)
    spec_schema(newer)["properties"]["newer"] = {"type": "string"}
    cluster.kubectl("delete", "crd", CRD_NAME, "--ignore-not-found")
    cluster.apply_crd(newer)
    before = cluster.read(namespace, "crd", CRD_NAME)["metadata"]["resourceVersion"]
    said = cluster.release("install", namespace)
    if cluster.helm_name == "helm4":
        assert "failed to install CRD crds/sergasmonitorings.yaml" in said.err
        assert 'conflict with "kubectl": .spec.versions' in said.err
        said = cluster.release("install", namespace, "--skip-crds")
    assert said.code == 0, said.err
    assert cluster.read(namespace, "crd", CRD_NAME)["metadata"]["resourceVersion"] == before
