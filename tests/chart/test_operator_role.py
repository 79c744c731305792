"""The operator's Role has exactly the rights that the operator uses, in each namespace it serves."""

import pytest

from charts.helm import objects, template
from sergas_operator.desired import registry

TWO = 'operator.namespaces=["monitoring","team-a"]'


def operator_roles(items):
    return [
        item
        for item in items
        if item["kind"] in {"Role", "ClusterRole"}
        and item["metadata"]["labels"].get("app.kubernetes.io/component") == "operator"
    ]


def by_resource(rules):
    """Verbs by group and resource, however the rules are grouped, with the names that they are limited to."""
    return {
        (group, resource): sorted(rule["verbs"]) + rule.get("resourceNames", [])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_role_has_exactly_the_rights_of_the_registry(default):
    roles = operator_roles(default)
    assert [role["kind"] for role in roles] == ["Role"]
    assert by_resource(roles[0]["rules"]) == by_resource(registry.rules())


def test_every_served_namespace_has_its_role():
    roles = operator_roles(objects(template(settings=[TWO])))
    assert [(role["kind"], role["metadata"]["namespace"]) for role in roles] == [
        ("Role", "monitoring"),
        ("Role", "team-a"),
    ]
    assert [by_resource(role["rules"]) for role in roles] == [by_resource(registry.rules())] * 2


def test_reads_its_own_pod_in_a_namespace_that_it_does_not_serve():
    roles = operator_roles(
        objects(template(settings=['operator.namespaces=["team-a"]', "sergasMonitoring.create=false"]))
    )
    rules = {role["metadata"]["namespace"]: by_resource(role["rules"]) for role in roles}
    assert rules == {"monitoring": {("", "pods"): ["get"]}, "team-a": by_resource(registry.rules())}


def test_rules_name_no_resource_twice():
    rules = registry.rules()
    assert len(by_resource(rules)) == len(rules)


@pytest.mark.parametrize("verb", ["*", "deletecollection", "escalate", "bind", "impersonate"])
def test_no_rule_has_a_right_without_limit(verb):
    assert not any(verb in rule["verbs"] for rule in registry.rules())


def test_only_optional_children_may_be_deleted():
    deleted = {rule["resources"][0] for rule in registry.rules() if "delete" in rule["verbs"]}
    assert deleted == {child.kind.plural for child in registry.CHILDREN if child.wanted}
