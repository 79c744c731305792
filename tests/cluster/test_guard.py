import pytest
from sergas_cluster import guard, topology
from sergas_cluster.errors import ClusterError

EXPORT = "type `export KUBECONFIG=$(python tests/e2e/cluster kubeconfig)`"


def refusal(cluster, context, server, expected=""):
    with pytest.raises(ClusterError) as refused:
        guard.allow(cluster, context, server, expected)
    return str(refused.value)


def test_each_cluster_accepts_its_own_context():
    guard.allow("packaged", "sergas-packaged", topology.SERVER, "")
    guard.allow("kind", "kind-sergas", "https://127.0.0.1:41234", "")
    guard.allow("existing", "staging", "https://k8s.example.com", "staging")


def test_somebody_elses_context_is_refused():
    assert refusal("packaged", "production", "https://k8s.example.com") == (
        "the current context is production (https://k8s.example.com), not sergas-packaged, and nothing was done to it;"
        f" {EXPORT}"
    )


def test_a_context_that_only_bears_the_name_is_refused():
    assert refusal("packaged", "sergas-packaged", "https://k8s.example.com") == (
        "the context sergas-packaged points at https://k8s.example.com, not at https://203.0.113.1:6443,"
        f" and nothing was done to it; {EXPORT}"
    )


def test_a_kind_context_on_another_machine_is_refused():
    assert refusal("kind", "kind-sergas", "https://10.0.0.7:6443") == (
        "the context kind-sergas points at https://10.0.0.7:6443, not at https://127.0.0.1:,"
        f" and nothing was done to it; {EXPORT}"
    )


def test_the_packaged_cluster_is_refused_when_kind_was_chosen():
    assert refusal("kind", "sergas-packaged", topology.SERVER) == (
        "the current context is sergas-packaged (https://203.0.113.1:6443), not kind-sergas,"
        f" and nothing was done to it; {EXPORT}"
    )


def test_an_existing_cluster_must_be_named():
    assert refusal("existing", "staging", "https://k8s.example.com") == (
        "CLUSTER=existing needs the context's name, so that no other cluster is touched:"
        " set SERGAS_E2E_CONTEXT=staging if the cluster at https://k8s.example.com is meant"
    )


def test_an_existing_cluster_of_another_name_is_refused():
    assert refusal("existing", "production", "https://k8s.example.com", expected="staging") == (
        "the current context is production (https://k8s.example.com), not staging, and nothing was done to it;"
        " type `kubectl config use-context staging`, or set SERGAS_E2E_CONTEXT to the context that is meant"
    )


def test_a_kubeconfig_without_a_current_context_is_refused(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/home/me/none")
    assert refusal("packaged", "", "") == f"KUBECONFIG=/home/me/none has no current context; {EXPORT}"


def test_the_server_is_the_one_of_the_contexts_own_cluster():
    view = {
        "contexts": [{"name": "a", "context": {"cluster": "two"}}, {"name": "b", "context": {"cluster": "one"}}],
        "clusters": [
            {"name": "one", "cluster": {"server": "https://one"}},
            {"name": "two", "cluster": {"server": "https://two"}},
        ],
    }
    assert guard.server_of(view, "a") == "https://two"
    assert guard.server_of(view, "missing") == ""
    assert guard.server_of({"contexts": None, "clusters": None}, "a") == ""
