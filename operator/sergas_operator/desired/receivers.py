"""Receivers with their secret values looked up and their texts checked. A broken receiver affects no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sergas_operator.desired.message_text import TextError, check, check_line
from sergas_operator.model.names import RECEIVER_LABEL
from sergas_operator.model.spec import PAGERDUTY_URLS, Monitoring, Receiver, SecretRef, Webhook

# Secrets by name, each with its data decoded. None or no entry means that the Secret does not exist.
Secrets = Mapping[str, Mapping[str, bytes] | None]
# In Secrets: the Secret exists, and its label does not allow receivers to use it.
NOT_ALLOWED: Mapping[str, bytes] = MappingProxyType({})

# The receiver of spec.heartbeat. Names in spec.receivers cannot begin with an underscore.
HEARTBEAT = "_heartbeat"
# Longer than any URL, integration key or password in use; 64 of them fit a Secret, which holds at most 1 MiB.
LONGEST_VALUE = 4096

_URL = re.compile(rb"https?://[^\s/]+\S*")
_WORD = re.compile(rb"\S+")
_LINE = re.compile(rb"[^\r\n]+")
# Per kind: the field with the Secret reference, the suffix of the value's key in the config Secret, the pattern of
# the value, and the pattern in words.
SECRET_FIELDS: dict[str, tuple[str, str, re.Pattern[bytes], str]] = {
    "slack": ("urlSecretRef", "url", _URL, "a URL that begins with https://"),
    "pagerduty": ("routingKeySecretRef", "routing-key", _WORD, "one word, the integration key"),
    "email": ("passwordSecretRef", "password", _LINE, "one line, the password"),
    "webhook": ("urlSecretRef", "url", _URL, "a URL that begins with https:// or http://"),
}
# Per kind: template fields with a default text of ours, and template fields of one line.
TEXT_FIELDS: dict[str, tuple[str, ...]] = {
    "slack": ("title", "text"),
    "pagerduty": ("description",),
    "email": ("subject", "text", "html"),
    "webhook": (),
}
LINE_FIELDS: dict[str, tuple[str, ...]] = {
    "slack": ("channel", "username", "icon_emoji"),
    "pagerduty": (),
    "email": ("to", "from_"),
    "webhook": (),
}


@dataclass(frozen=True)
class Resolved:
    """A receiver and what is known about it.

    Attributes:
        receiver: the receiver of the spec.
        where: its path in the spec, for messages.
        key: the key of its secret value in the config Secret, such as `oncall.routing-key`; empty when it needs none.
        value: the secret value, or the last good one; None when there was none yet.
        secret_found: whether the user's Secret holds a usable value now, or none is needed.
        rejected_texts: text fields that are no valid template; the default text is sent instead.
        disabled: whether a field without a default is invalid, so that no notification can be sent.
        problems: what is wrong, in sentences without secret values.
    """

    receiver: Receiver
    where: str
    key: str
    value: bytes | None
    secret_found: bool
    rejected_texts: frozenset[str]
    disabled: bool
    problems: tuple[str, ...]

    @property
    def can_notify(self) -> bool:
        """Whether Alertmanager gets an integration for it, with a current or a last good value."""
        return not self.disabled and (not self.key or self.value is not None)


def secret_ref(receiver: Receiver) -> SecretRef | None:
    """Return the Secret key that a receiver needs; None for email without a password."""
    if receiver.slack:
        return receiver.slack.url_secret_ref
    if receiver.pagerduty:
        return receiver.pagerduty.routing_key_secret_ref
    if receiver.webhook:
        return receiver.webhook.url_secret_ref
    return receiver.email.password_secret_ref if receiver.email else None


def value_key(receiver: Receiver) -> str:
    """Return the key of its secret value in the config Secret, empty when it needs none."""
    return f"{receiver.name}.{SECRET_FIELDS[receiver.kind][1]}" if secret_ref(receiver) else ""


def referenced_secrets(monitoring: Monitoring) -> frozenset[str]:
    """Return the names of the Secrets that the receivers refer to."""
    refs = (secret_ref(receiver) for receiver, _ in all_receivers(monitoring))
    return frozenset(ref.name for ref in refs if ref)


def all_receivers(monitoring: Monitoring) -> list[tuple[Receiver, str]]:
    """Return every receiver with its path in the spec; the heartbeat's is last."""
    spec = monitoring.spec
    found = [(receiver, f"spec.receivers[{i}] ({receiver.name})") for i, receiver in enumerate(spec.receivers)]
    if spec.heartbeat:
        hook = Webhook(spec.heartbeat.url_secret_ref)
        # The listener must notice the absence of Watchdog itself.
        found.append((Receiver(HEARTBEAT, send_resolved=False, webhook=hook), "spec.heartbeat"))
    return found


def resolve(
    monitoring: Monitoring,
    secrets: Secrets,
    last_good: Mapping[str, bytes],
    pagerduty_urls: tuple[str, ...] = PAGERDUTY_URLS,
) -> tuple[Resolved, ...]:
    """Return every receiver with its value.

    Args:
        monitoring: the SergasMonitoring.
        secrets: the Secrets that its receivers refer to.
        last_good: data of its config Secret as it is now. A value that cannot be read is taken from there.
        pagerduty_urls: the URLs to which routing keys may be sent.
    """
    return tuple(
        _resolve(receiver, where, _value(monitoring.namespace, receiver, secrets), last_good, pagerduty_urls)
        for receiver, where in all_receivers(monitoring)
    )


def _resolve(
    receiver: Receiver,
    where: str,
    current: tuple[bytes | None, str],
    last_good: Mapping[str, bytes],
    pagerduty_urls: tuple[str, ...],
) -> Resolved:
    texts = dict(_rejected_texts(receiver))
    invalid = list(_invalid_fields(receiver, pagerduty_urls))
    problems = [f"{where}: {receiver.kind}.{problem}" for problem in (*invalid, *texts.values())]
    key = value_key(receiver)
    value, problem = current
    if problem:
        value = last_good.get(key)
        problems.insert(0, f"{where}: {problem}; {_meanwhile(receiver, value)}")
    return Resolved(receiver, where, key, value, not problem, frozenset(texts), bool(invalid), tuple(problems))


def _value(namespace: str, receiver: Receiver, secrets: Secrets) -> tuple[bytes | None, str]:  # noqa: PLR0911
    """The secret value of a receiver, and what is wrong with it; neither when it needs none."""
    ref = secret_ref(receiver)
    if ref is None:
        return None, ""
    field, _, pattern, wanted = SECRET_FIELDS[receiver.kind]
    secret = secrets.get(ref.name)
    path = field if receiver.name == HEARTBEAT else f"{receiver.kind}.{field}"
    named = f"{path} names Secret {namespace}/{ref.name}"
    if secret is None:
        wanted = f"the key {ref.key} and the label {RECEIVER_LABEL}=true"
        return None, f"{named}, which does not exist: create it with {wanted}"
    if secret is NOT_ALLOWED:
        command = f"kubectl -n {namespace} label secret {ref.name} {RECEIVER_LABEL}=true"
        return None, f"{named}, which receivers may not use: allow it with `{command}`"
    if ref.key not in secret:
        return None, f"{named}, which has no key {ref.key}: add the key"
    value = secret[ref.key].strip(b"\r\n") if receiver.email else secret[ref.key].strip()
    if len(value) > LONGEST_VALUE:
        return None, f"{named}, whose key {ref.key} is longer than {LONGEST_VALUE} bytes: correct the value"
    if not pattern.fullmatch(value):
        return None, f"{named}, whose key {ref.key} is not {wanted}: correct the value"
    return value, ""


def _meanwhile(receiver: Receiver, last_good: bytes | None) -> str:
    if last_good is None and receiver.name == HEARTBEAT:
        return "until then no heartbeat is sent"
    if last_good is None:
        return f"until then no alert reaches {receiver.name}"
    return "until then the last good value is used"


def _rejected_texts(receiver: Receiver) -> Iterator[tuple[str, str]]:
    options = getattr(receiver, receiver.kind)
    for name in TEXT_FIELDS[receiver.kind]:
        text = getattr(options, name)
        if text is None:
            continue
        try:
            check(text)
        except TextError as error:
            yield name, f"{name} is not a valid template, {error}; until then the default text is sent"


def _invalid_fields(receiver: Receiver, pagerduty_urls: tuple[str, ...]) -> Iterator[str]:
    options = getattr(receiver, receiver.kind)
    until = f"until then no alert reaches {receiver.name}"
    for name in LINE_FIELDS[receiver.kind]:
        value = getattr(options, name)
        path = {"icon_emoji": "iconEmoji", "from_": "from"}.get(name, name)
        for i, text in enumerate(value if isinstance(value, tuple) else filter(None, (value,))):
            try:
                check_line(text)
            except TextError as error:
                at = f"{path}[{i}]" if isinstance(value, tuple) else path
                yield f"{at} is not a valid template, {error}; {until}"
    if receiver.pagerduty and receiver.pagerduty.url and receiver.pagerduty.url not in pagerduty_urls:
        yield (
            f"url {receiver.pagerduty.url} is not an allowed address for routing keys: write one of "
            f"{', '.join(pagerduty_urls)}, or add it to the chart's value operator.allowedPagerDutyURLs; {until}"
        )
