"""Helm and a person may both write a SergasMonitoring: who wins, and who is told."""

import pytest
import yaml

from charts.helm import CHART

pytestmark = pytest.mark.apiserver

CRD = yaml.safe_load((CHART / "crds" / "sergasmonitorings.yaml").read_text(encoding="utf-8"))
RETENTION = "sergasMonitoring__spec__prometheus__retention"


@pytest.fixture
def installed(cluster, namespace):
    """The chart installed with a retention of 5 days."""
    cluster.apply_crd(CRD)
    said = cluster.install(namespace, **{RETENTION: '"5d"'})
    assert said.code == 0, said.err
    return cluster


def retention(cluster, namespace):
    return cluster.read(namespace, "sergasmonitoring", "sergas")["spec"]["prometheus"]["retention"]


def edit(cluster, namespace, value):
    change = f'{{"spec":{{"prometheus":{{"retention":"{value}"}}}}}}'
    cluster.kubectl("-n", namespace, "patch", "sergasmonitoring", "sergas", "--type=merge", "-p", change)


def versions(cluster, namespace):
    """Resource version of everything in the release but Helm's own record."""
    kinds = "all,sergasmonitorings,prometheusrules,servicemonitors,configmaps,roles,rolebindings,serviceaccounts"
    jsonpath = '{range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion}{"\\n"}{end}'
    selector = "app.kubernetes.io/instance=sergas"
    return cluster.kubectl("-n", namespace, "get", kinds, "-l", selector, "-o", f"jsonpath={jsonpath}").splitlines()


def test_an_upgrade_that_changes_nothing_writes_nothing(installed, namespace):
    before = versions(installed, namespace)
    said = installed.release("upgrade", namespace, **{RETENTION: '"5d"'})
    assert said.code == 0, said.err
    assert len(before) > 15
    assert versions(installed, namespace) == before


def test_an_upgrade_and_a_rollback_change_what_nobody_else_wrote(installed, namespace):
    assert installed.release("upgrade", namespace, **{RETENTION: '"6d"'}).code == 0
    assert retention(installed, namespace) == "6d"
    said = installed.helm("rollback", "sergas", "1", "-n", namespace)
    assert said.code == 0, said.err
    assert retention(installed, namespace) == "5d"


def test_a_field_edited_by_hand_is_taken_back_by_helm_3_and_refused_by_helm_4_until_told_to(installed, namespace):
    edit(installed, namespace, "9d")
    said = installed.release("upgrade", namespace, **{RETENTION: '"6d"'})
    if installed.helm_name == "helm4":
        assert said.code == 1
        assert (
            'conflict with "kubectl-patch" using monitoring.sergas.com/v1alpha1: .spec.prometheus.retention' in said.err
        )
        assert retention(installed, namespace) == "9d"
        said = installed.release("upgrade", namespace, "--force-conflicts", **{RETENTION: '"6d"'})
    assert said.code == 0, said.err
    assert retention(installed, namespace) == "6d"


def test_what_the_values_leave_out_stays_a_persons(installed, namespace):
    change = '{"spec":{"paused":true}}'
    installed.kubectl("-n", namespace, "patch", "sergasmonitoring", "sergas", "--type=merge", "-p", change)
    assert installed.release("upgrade", namespace, **{RETENTION: '"6d"'}).code == 0
    assert installed.read(namespace, "sergasmonitoring", "sergas")["spec"]["paused"] is True


@pytest.mark.parametrize("cluster", ["helm"], indirect=True)
def test_a_release_of_helm_3_goes_on_under_helm_4(cluster, namespace):
    cluster.apply_crd(CRD)
    assert cluster.install(namespace, **{RETENTION: '"5d"'}).code == 0
    said = cluster.release("upgrade", namespace, program="helm4", **{RETENTION: '"6d"'})
    assert said.code == 0, said.err
    assert retention(cluster, namespace) == "6d"
    said = cluster.helm("rollback", "sergas", "1", "-n", namespace, program="helm4")
    assert said.code == 0, said.err
    assert retention(cluster, namespace) == "5d"
    said = cluster.helm("uninstall", "sergas", "-n", namespace, program="helm4")
    assert said.code == 0, said.err
    assert versions(cluster, namespace) == []
