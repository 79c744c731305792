"""Who hears of a severity when the spec names no one."""

from __future__ import annotations

from sergas_operator.spec import Receiver, Severity, Spec

KINDS: dict[Severity, tuple[str, ...]] = {
    "critical": ("slack", "pagerduty", "email", "webhook"),
    "warning": ("slack", "email", "webhook"),
    "info": ("email",),
}
# The last word of a Slack channel's name that keeps it for one severity.
CHANNELS: dict[str, Severity] = {"critical": "critical", "warning": "warning", "warnings": "warning", "info": "info"}


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
