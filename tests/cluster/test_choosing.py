import pytest
from sergas_cluster.choosing import Choice, decide
from sergas_cluster.errors import ClusterError


def test_what_the_user_says_wins_over_what_the_machine_has():
    assert decide("packaged", docker=True) == Choice("packaged", "CLUSTER=packaged says so")


def test_a_docker_engine_means_kind():
    assert decide("", docker=True) == Choice("kind", "a Docker engine answers; CLUSTER=packaged would not use it")


def test_no_docker_engine_means_the_packaged_cluster():
    assert decide("", docker=False) == Choice("packaged", "no Docker engine answers; CLUSTER=kind would need one")


def test_an_unknown_cluster_is_refused_with_those_that_exist():
    with pytest.raises(ClusterError) as refused:
        decide("minikube", docker=False)
    assert str(refused.value) == "CLUSTER=minikube is unknown; write CLUSTER=packaged, kind or existing"
