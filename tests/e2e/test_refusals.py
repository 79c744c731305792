"""What a person sees when `kubectl apply` is given something wrong."""

import pytest
import stacks
from sergas_demo import monitoring
from sergas_demo.kube import CommandError

NAMESPACE = stacks.DEFAULTS
SERVER = 'The SergasMonitoring "wrong" is invalid: '


def refusal(kube, spec, *arguments):
    with pytest.raises(CommandError) as error:
        kube.apply(monitoring.resource("wrong", spec), namespace=NAMESPACE, arguments=arguments)
    return error.value.said


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"prometheus": {"retention": "30 days"}},
            "spec.prometheus.retention: Invalid value: \"30 days\": '30 days' is not a retention time: write a "
            "number and a unit of y, w, d, h, m or s without spaces, such as 30d, 2w or 1y",
        ),
        (
            {"prometheus": {"replicas": 0}},
            "spec.prometheus.replicas: Invalid value: 0: write 1 to 10 replicas, where 2 survives the loss "
            "of one; to remove the stack delete the SergasMonitoring",
        ),
        (
            {"routing": {"critical": {"receivers": ["pager"]}}, "receivers": stacks.receivers()[:2]},
            "spec.routing.critical.receivers: Invalid value: a receiver named here is not in "
            "spec.receivers: add it there, or write the name of one that is",
        ),
        (
            {"receivers": [{"name": "both"} | stacks.receivers()[0] | stacks.receivers()[3] | {"name": "both"}]},
            "spec.receivers[0]: Invalid value: receiver 'both' has more than one of slack, pagerduty, email and "
            "webhook: keep one, and write a receiver of its own for each other",
        ),
        (
            {"routing": {"critical": {"groupBy": ["job", "job"]}}},
            "spec.routing.critical.groupBy: Invalid value: a label is named twice: write each label once",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_write_instead(suite, kube, spec, sentence):
    assert refusal(kube, spec) == SERVER + sentence


def test_an_unknown_field_is_refused_by_name(suite, kube):
    said = refusal(kube, {"prometheus": {"retentionDays": 30}}, "--validate=strict")
    assert said == (
        'Error from server (BadRequest): error when creating "STDIN": SergasMonitoring in version "v1alpha1" cannot be '
        'handled as a SergasMonitoring: strict decoding error: unknown field "spec.prometheus.retentionDays"'
    )
