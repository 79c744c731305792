"""The exporters of drills are where Prometheus looks for them."""

from drills.exporters import JOBS, objects, strained, unbounded


def named(kind):
    return {item["metadata"]["name"]: item for item in objects("exporters", "watching") if item["kind"] == kind}


def claims(items):
    for item in items:
        if item["kind"] == "PersistentVolumeClaim":
            yield item["spec"]
        if item["kind"] == "StatefulSet":
            yield from (claim["spec"] for claim in item["spec"]["volumeClaimTemplates"])


def test_their_monitors_stand_beside_prometheus_and_look_at_their_namespace():
    monitors = named("ServiceMonitor")
    assert len(monitors) == len(JOBS - {"kubelet"})
    assert {item["metadata"]["namespace"] for item in monitors.values()} == {"watching"}
    looked_at = [item["spec"]["namespaceSelector"]["matchNames"] for item in monitors.values()]
    assert set(map(tuple, looked_at)) == {("exporters",)}


def test_a_monitor_finds_the_service_that_stands_for_it():
    services = named("Service")
    for name, monitor in named("ServiceMonitor").items():
        assert monitor["spec"]["selector"]["matchLabels"].items() <= services[name]["metadata"]["labels"].items()
        ports = {port["name"] for port in services[name]["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_rights_go_to_the_account_in_their_namespace():
    [binding] = named("ClusterRoleBinding").values()
    assert [subject["namespace"] for subject in binding["subjects"]] == ["exporters"]
    assert binding["roleRef"]["name"] in named("ClusterRole")
    assert binding["metadata"]["name"].startswith("exporters-")


def test_volumes_are_left_to_the_default_class_where_there_is_no_bounded_one():
    every = [*objects("exporters", "watching"), *strained("exporters")]
    assert {claim["storageClassName"] for claim in claims(every)} == {"bounded"}
    assert [claim for claim in claims(map(unbounded, every)) if "storageClassName" in claim] == []
