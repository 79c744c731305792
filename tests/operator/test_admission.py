"""What the API server says to a SergasMonitoring that cannot be: the whole sentence, as kubectl shows it."""

from __future__ import annotations

from typing import Any

import pytest
from kube import Namespace, Refused

pytestmark = pytest.mark.apiserver

WEBHOOK = {"name": "hook", "webhook": {"urlSecretRef": {"name": "hook", "key": "url"}}}
SLACK = {"channel": "#critical", "urlSecretRef": {"name": "slack", "key": "url"}}
KUBECTL_SAYS = 'SergasMonitoring.monitoring.sergas.com "sergas" is invalid: '

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a retention with a space": (
        {"prometheus": {"retention": "30 days"}},
        "spec.prometheus.retention: Invalid value: \"30 days\": '30 days' is not a retention time: "
        "write a number and a "
        "unit of y, w, d, h, m or s without spaces, such as 30d, 2w or 1y",
    ),
    "a retention of nothing": (
        {"prometheus": {"retention": "0d"}},
        "spec.prometheus.retention: Invalid value: \"0d\": '0d' is not a retention time: write a "
        "number and a unit of y, "
        "w, d, h, m or s without spaces, such as 30d, 2w or 1y",
    ),
    "no Prometheus replica": (
        {"prometheus": {"replicas": 0}},
        "spec.prometheus.replicas: Invalid value: 0: write 1 to 10 replicas, where 2 survives the "
        "loss of one; to remove "
        "the stack delete the SergasMonitoring",
    ),
    "no Alertmanager replica": (
        {"alertmanager": {"replicas": 0}},
        "spec.alertmanager.replicas: Invalid value: 0: write 1 to 9 replicas, where 3 survives the "
        "loss of one; to remove "
        "the stack delete the SergasMonitoring",
    ),
    "a retention size that does not fit the volume": (
        {"prometheus": {"retentionSize": "48GB"}},
        "spec.prometheus.retentionSize: Invalid value: retentionSize 48GB does not fit a volume of "
        "50Gi: write at most "
        "85 % of storage.size, or leave it empty for 80 %",
    ),
    "a retention size without a unit": (
        {"prometheus": {"retentionSize": "48"}},
        "spec.prometheus.retentionSize: Invalid value: \"48\": '48' is not a size of stored samples: "
        "write a whole number "
        "and KB, MB, GB, TB or PB, such as 40GB, or leave it empty for 80 % of storage.size",
    ),
    "an external address without its scheme": (
        {"alertmanager": {"externalURL": "alertmanager.example.com"}},
        "spec.alertmanager.externalURL: Invalid value: \"alertmanager.example.com\": 'alertmanager.example.com' is not "
        "a web address: write it with http:// or https://, such as https://alertmanager.example.com",
    ),
    "an external address that a template would take for its own": (
        {"alertmanager": {"externalURL": "https://x/{{.Status}}"}},
        "spec.alertmanager.externalURL: Invalid value: \"https://x/{{.Status}}\": 'https://x/{{.Status}}' is not a web "
        "address: write it with http:// or https://, such as https://alertmanager.example.com",
    ),
    "a heartbeat that never beats": (
        {"heartbeat": {"urlSecretRef": {"name": "deadman", "key": "url"}, "interval": "0s"}},
        "spec.heartbeat.interval: Invalid value: \"0s\": '0s' is not a duration: write a number above 0 and a unit of "
        "d, h, m or s without spaces, such as 1m",
    ),
    "a volume without a size": (
        {"prometheus": {"storage": {"size": "big"}}},
        "spec.prometheus.storage.size: Invalid value: \"big\": 'big' is not a size: write a number "
        "with Mi, Gi or Ti, "
        "such as 50Gi",
    ),
    "two kinds in one receiver": (
        {"receivers": [WEBHOOK | {"slack": SLACK}]},
        "spec.receivers[0]: Invalid value: receiver 'hook' has more than one of slack, pagerduty, "
        "email and webhook: keep "
        "one, and write a receiver of its own for each other",
    ),
    "a receiver without a kind": (
        {"receivers": [{"name": "nobody"}]},
        "spec.receivers[0]: Invalid value: receiver 'nobody' does not say how to notify: add one of "
        "slack, pagerduty, "
        "email and webhook",
    ),
    "a receiver's name with capitals": (
        {"receivers": [WEBHOOK | {"name": "Hook"}]},
        "spec.receivers[0].name: Invalid value: \"Hook\": 'Hook' cannot be a receiver's name: write "
        "lower case letters, "
        "digits and hyphens, such as slack-critical",
    ),
    "a route to an unknown receiver": (
        {"receivers": [WEBHOOK], "routes": [{"matchers": [{"name": "team", "value": "web"}], "receivers": ["hoook"]}]},
        "spec.routes: Invalid value: a receiver named in a route is not in spec.receivers: add it "
        "there, or write the name "
        "of one that is",
    ),
    "a severity routed to an unknown receiver": (
        {"receivers": [WEBHOOK], "routing": {"critical": {"receivers": ["pager"]}}},
        "spec.routing.critical.receivers: Invalid value: a receiver named here is not in "
        "spec.receivers: add it there, or "
        "write the name of one that is",
    ),
    "a digest in words": (
        {"routing": {"info": {"digest": "1 day"}}},
        "spec.routing.info.digest: Invalid value: \"1 day\": '1 day' is not a duration: write a "
        "number above 0 and a unit "
        "of d, h, m or s without spaces, such as 24h",
    ),
    "a user without a password": (
        {
            "receivers": [
                {
                    "name": "mail",
                    "email": {"to": ["a@b.c"], "from": "d@e.f", "smarthost": "mail:25", "authUsername": "u"},
                }
            ]
        },
        "spec.receivers[0].email: Invalid value: authUsername needs a password: add "
        "passwordSecretRef with the name and "
        "key of a Secret, or remove authUsername",
    ),
    "a mail server without a port": (
        {"receivers": [{"name": "mail", "email": {"to": ["a@b.c"], "from": "d@e.f", "smarthost": "mail"}}]},
        "spec.receivers[0].email.smarthost: Invalid value: \"mail\": 'mail' is not a mail server "
        "with its port: write "
        "host:port, such as smtp.example.com:587",
    ),
    "an environment that is no label": (
        {"environment": "our prod"},
        "spec.environment: Invalid value: \"our prod\": 'our prod' cannot be a label value: write "
        "letters, digits, "
        "hyphens, dots or underscores, such as production",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_api_server_refuses(unserved_default: Namespace, case: str) -> None:
    spec, sentence = REFUSED[case]
    with pytest.raises(Refused) as refused:
        unserved_default.create(spec)
    assert str(refused.value) == KUBECTL_SAYS + sentence


def test_two_receivers_of_one_name_are_refused_with_advice(unserved_default: Namespace) -> None:
    with pytest.raises(Refused) as refused:
        unserved_default.create({"receivers": [WEBHOOK, WEBHOOK]})
    assert str(refused.value) == (
        KUBECTL_SAYS
        + '[spec.receivers[1]: Duplicate value: {"name":"hook"}, spec.receivers: Invalid value: two receivers '
        "have the same name: give each a name of its own]"
    )


def test_a_name_too_long_for_pods_is_refused(unserved_default: Namespace) -> None:
    name = "a" * 39
    with pytest.raises(Refused) as refused:
        unserved_default.create({}, name)
    assert str(refused.value) == (
        f'SergasMonitoring.monitoring.sergas.com "{name}" is invalid: <nil>: Invalid value: the '
        f"name '{name}' cannot be "
        "used for Services and pods: write at most 38 lower case letters, digits and hyphens, "
        "starting with a letter, such "
        "as sergas"
    )


def test_an_unknown_field_is_refused_by_a_strict_apply(unserved_default: Namespace) -> None:
    with pytest.raises(Refused) as refused:
        unserved_default.create({"prometheus": {"retentoin": "30d"}})
    assert str(refused.value) == (
        'SergasMonitoring in version "v1alpha1" cannot be handled as a SergasMonitoring: strict '
        "decoding error: unknown "
        'field "spec.prometheus.retentoin"'
    )


def test_a_volume_can_grow_and_cannot_shrink_or_change_its_class(unserved_default: Namespace) -> None:
    unserved_default.create({"prometheus": {"storage": {"size": "20Gi", "storageClassName": "fast"}}}, "grows")
    unserved_default.patch({"prometheus": {"storage": {"size": "21474836481"}}}, "grows")
    with pytest.raises(Refused) as refused:
        unserved_default.patch({"prometheus": {"storage": {"size": "20Gi", "storageClassName": "slow"}}}, "grows")
    invalid = 'SergasMonitoring.monitoring.sergas.com "grows" is invalid: '
    assert str(refused.value) == (
        invalid
        + '[spec.prometheus.storage.size: Invalid value: "20Gi": a volume cannot shrink from 21474836481 to 20Gi: '
        "write 21474836481 or more, or create another SergasMonitoring with the smaller size, "
        'spec.prometheus.storage.storageClassName: Invalid value: "slow": the class of existing '
        "volumes cannot change from "
        "'fast' to 'slow': write 'fast' again, or create another SergasMonitoring with the new class]"
    )


def test_an_empty_spec_is_the_highly_available_default(unserved_default: Namespace) -> None:
    spec = unserved_default.create({}, "empty")["spec"]
    assert (spec["prometheus"]["replicas"], spec["prometheus"]["retention"]) == (2, "30d")
    assert (spec["prometheus"]["storage"]["size"], spec["alertmanager"]["storage"]["size"]) == ("50Gi", "2Gi")
    assert spec["alertmanager"]["replicas"] == 3


@pytest.fixture
def unserved_default(control_plane: Any) -> Namespace:
    return Namespace(control_plane, "default")
