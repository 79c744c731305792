"""Which receivers are notified of which severity, and which of them get a digest."""

from __future__ import annotations

from sergas_operator.model.spec import Receiver, Severity, Spec

KINDS: dict[Severity, tuple[str, ...]] = {
    "critical": ("slack", "pagerduty", "email", "webhook"),
    "warning": ("slack", "email", "webhook"),
    "info": ("email",),
}
# The last word of a Slack channel's name that reserves it for one severity.
CHANNELS: dict[str, Severity] = {"critical": "critical", "warning": "warning", "warnings": "warning", "info": "info"}


def recipients(spec: Spec, severity: Severity) -> list[str]:
    """Return the names of the receivers of a severity."""
    named = {
        "critical": spec.routing.critical.receivers,
        "warning": spec.routing.warning.receivers,
        "info": spec.routing.info.receivers,
    }[severity]
    return default_receivers(spec, severity) if named is None else list(named)


def digest_receivers(spec: Spec) -> list[Receiver]:
    """Return the email receivers of info alerts: the digest service notifies them, Alertmanager the others."""
    names = recipients(spec, "info")
    return [receiver for receiver in spec.receivers if receiver.email and receiver.name in names]


def default_receivers(spec: Spec, severity: Severity) -> list[str]:
    """Return the default receivers: all for critical, no pager for warning, only email for info.

    A Slack channel named for a severity, such as #warnings or #crm-critical, gets only that severity.
    """
    return [receiver.name for receiver in spec.receivers if _receives(receiver, severity)]


def _receives(receiver: Receiver, severity: Severity) -> bool:
    if receiver.slack:
        word = receiver.slack.channel.lstrip("#").replace("_", "-").rpartition("-")[2].lower()
        if word in CHANNELS:
            return CHANNELS[word] == severity
    return receiver.kind in KINDS[severity]
