"""A digest that cannot be mailed, or that rejects requests, raises its alert, which does not depend on the digest."""

import pytest
from drills import faults, receivers, stack
from drills.drill import Drill
from drills.receivers import told_of
from drills.running import recorded
from drills.stack import NAME, Plan
from drills.standing import standing

NAMESPACE = "e2e-digest-alerts"
REFUSING = "e2e-digest-refusing"
RECEIVER = "refusing"

OVERRIDES = {
    "DigestNotSent": {"threshold": 30, "for": "15s"},
    # As shipped, `for` is longer than the window, so that a single rejection raises nothing.
    "DigestRejecting": {"window": "30s", "for": "45s"},
}
# It fires all the time, so every digest has an alert to mail.
ALWAYS = {"AlertInputNeverSeen": {"for": "0s"}}


def second_digest():
    """A second receiver of the digest, whose mail server is its own."""
    mailbox = {"name": RECEIVER, "email": receivers.email(stack.far_end(REFUSING), "refusing@sergas.example")}
    info = receivers.ROUTING["info"]
    both = info | {"receivers": [*info["receivers"], RECEIVER]}
    return {"receivers": [mailbox], "routing": receivers.ROUTING | {"info": both}}


PLAN = Plan(
    NAMESPACE,
    (),
    {
        # An empty list would have Prometheus scrape the application in every namespace.
        "app.namespaces": [NAMESPACE],
        "digest.serviceMonitor.interval": "5s",
        **{f"alerts.{name}": value for name, value in (OVERRIDES | ALWAYS).items()},
    },
    far_ends=(REFUSING,),
    spec=second_digest,
)

DRILLS = (
    Drill(
        "DigestNotSent",
        "warning",
        NAMESPACE,
        faults.far_end_refuses("the mail server of one of the digest's receivers answers 451", REFUSING, "email", 451),
        f'sergas_digest_mails_sent_total{{namespace="{NAMESPACE}",receiver="{RECEIVER}"}} > 0',
    ),
    Drill(
        "DigestRejecting",
        "warning",
        NAMESPACE,
        faults.posted_without_token("requests without the bearer token arrive", NAMESPACE, f"{NAME}-digest"),
        f'sergas_digest_rejections_total{{namespace="{NAMESPACE}",reason="unauthorized"}}',
    ),
)


@pytest.fixture(scope="module")
def installed(kube, images, install_arguments):
    """The stack, whose digest has two receivers."""
    with standing(kube, PLAN, images, install_arguments) as found:
        yield found


@pytest.fixture(scope="module")
def outcomes(installed):
    """The outcome of each drill; both run at once."""
    with recorded("digest", DRILLS, installed, OVERRIDES) as found:
        yield found


@pytest.mark.parametrize("drill", DRILLS, ids=[drill.name for drill in DRILLS])
def test_a_fault_raises_its_alert_which_reaches_exactly_its_receivers_and_ends(outcomes, drill):
    outcome = outcomes[drill].result()
    assert outcome.error == ""
    assert set(outcome.receivers) == set().union(*(told_of(drill.alert, level) for level in outcome.levels))
