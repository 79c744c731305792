import yaml
from sergas_cluster import addons, operatorstack, paths, topology


def documents(name):
    return list(yaml.safe_load_all((paths.MANIFESTS / name).read_text()))


def named(kind, name, found):
    return next(item for item in found if item["kind"] == kind and item["metadata"]["name"] == name)


def test_pods_ask_the_address_that_cluster_dns_listens_on():
    service = named("Service", "kube-dns", documents("coredns.yaml"))
    assert service["spec"]["clusterIP"] == topology.DNS_SERVICE


def test_the_default_storage_class_is_served_by_our_provisioner_and_can_grow():
    storage_class = named("StorageClass", "standard", documents("node.yaml"))
    assert storage_class["provisioner"] == topology.PROVISIONER
    assert storage_class["allowVolumeExpansion"] is True
    assert storage_class["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_bounded_volumes_are_made_by_our_provisioner_in_memory():
    storage_class = named("StorageClass", "bounded", documents("node.yaml"))
    assert storage_class["provisioner"] == topology.PROVISIONER
    assert storage_class["parameters"] == {"medium": "Memory"}


def test_the_audit_log_holds_writes_of_all_users_and_no_reads():
    rules = documents("audit-policy.yaml")[0]["rules"]
    assert rules[0] == {"level": "None", "verbs": ["get", "list", "watch"]}
    assert rules[-1] == {"level": "Metadata"}


def test_prometheus_operator_moves_to_its_own_namespace_with_rights_that_follow():
    binding = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "prometheus-operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "prometheus-operator", "namespace": "default"}],
    }
    moved = operatorstack.in_namespace(binding)
    assert moved["subjects"][0]["namespace"] == "prometheus-operator"
    assert "namespace" not in moved["metadata"]


def test_prometheus_operator_keeps_its_arguments_among_them_that_of_the_kubelet_service():
    container = {"args": ["--kubelet-service=kube-system/kubelet", "--prometheus-config-reloader=image:v1"]}
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "prometheus-operator", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    operatorstack.in_namespace(deployment)
    assert container["args"] == [
        "--kubelet-service=kube-system/kubelet",
        "--prometheus-config-reloader=image:v1",
        "--config-reloader-cpu-limit=0",
        "--config-reloader-memory-limit=0",
    ]


def test_a_deployment_counts_as_available_only_in_its_current_generation():
    deployment = {
        "metadata": {"generation": 2},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 2, "availableReplicas": 1, "updatedReplicas": 1},
    }
    assert addons.available(deployment)
    deployment["status"]["observedGeneration"] = 1
    assert not addons.available(deployment)
