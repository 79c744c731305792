"""Who hears of which severity, and who of them gets a digest."""

from __future__ import annotations

from sergas_operator.spec import Receiver, Severity, Spec

KINDS: dict[Severity, tuple[str, ...]] = {
    "critical": ("slack", "pagerduty", "email", "webhook"),
    "warning": ("slack", "email", "webhook"),
    "info": ("email",),
}
# The last word of a Slack channel's name that keeps it for one severity.
CHANNELS: dict[str, Severity] = {"critical": "critical", "warning": "warning", "warnings": "warning", "info": "info"}


def hearers(spec: Spec, severity: Severity) -> list[str]:
    """Names of the receivers that hear of a severity."""
    named = {
        "critical": spec.routing.critical.receivers,
        "warning": spec.routing.warning.receivers,
        "info": spec.routing.info.receivers,
    }[severity]
    return default_receivers(spec, severity) if named is None else list(named)


def digest_receivers(spec: Spec) -> list[Receiver]:
    """The mail receivers that hear of info: the digest service tells them, Alertmanager the others."""
    names = hearers(spec, "info")
    return [receiver for receiver in spec.receivers if receiver.email and receiver.name in names]


def default_receivers(spec: Spec, severity: Severity) -> list[str]:
    """Everyone for critical, no pager for warning, only mail for info; a Slack channel that is named for a
    severity, such as #warnings or #crm-critical, hears of no other.
    """
    return [receiver.name for receiver in spec.receivers if _hears(receiver, severity)]


def _hears(receiver: Receiver, severity: Severity) -> bool:
    if receiver.slack:
        kept_for = CHANNELS.get(receiver.slack.channel.lstrip("#").replace("_", "-").rpartition("-")[2].lower())
        if kept_for:
            return kept_for == severity
    return receiver.kind in KINDS[severity]
