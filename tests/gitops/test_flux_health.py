"""What Flux makes of a SergasMonitoring's conditions, by the CEL expressions of manifests/flux."""

import cel
import pytest
import yaml

from charts.helm import ROOT

[EXPRESSIONS] = yaml.safe_load((ROOT / "manifests" / "flux" / "monitoring.yaml").read_text(encoding="utf-8"))["spec"][
    "healthCheckExprs"
]
ORDER = ("inProgress", "failed", "current")
"""In which Flux asks; the first that is true is the answer, and none is inProgress."""


def verdict(resource):
    """What Flux would say; a plain boolean or an error, which is what it takes an expression for."""
    answers = ((name, cel.evaluate(EXPRESSIONS[name], resource)) for name in ORDER)
    return next((name for name, true in answers if true is True), "inProgress")


def monitoring(ready, progressing=("False", "Converged"), observed=3):
    conditions = [
        {"type": "Ready", "status": ready, "reason": "Any"},
        {"type": "Progressing", "status": progressing[0], "reason": progressing[1]},
    ]
    return {"metadata": {"generation": 3}, "status": {"observedGeneration": observed, "conditions": conditions}}


ROLLING = ("True", "RollingOut")


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (monitoring("True"), "current"),
        (monitoring("False"), "failed"),
        (monitoring("Unknown"), "inProgress"),
        (monitoring("False", ROLLING), "inProgress"),
        (monitoring("True", ROLLING), "inProgress"),
        (monitoring("True", ("False", "Paused")), "current"),
        (monitoring("Unknown", ("False", "Paused")), "current"),
        (monitoring("False", ("False", "Planned")), "current"),
    ],
)
def test_health_follows_ready_as_it_does_in_argo_cd(resource, expected):
    assert verdict(resource) == expected


def test_a_status_of_an_older_generation_or_none_yet_is_no_news():
    assert verdict(monitoring("False", observed=2)) == "inProgress"
    assert verdict({"metadata": {"generation": 3}, "status": {}}) == "inProgress"


def test_it_is_about_the_resource_that_the_kustomization_applies():
    assert (EXPRESSIONS["apiVersion"], EXPRESSIONS["kind"]) == ("monitoring.sergas.com/v1alpha1", "SergasMonitoring")
    assert set(ORDER) <= set(EXPRESSIONS)
