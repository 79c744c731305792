"""Receivers with their secret values looked up and their texts checked, each by itself: a broken one harms
no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sergas_operator.message_text import TextError, check
from sergas_operator.spec import Monitoring, Receiver, SecretRef, Webhook

# Secrets by name, each with its data decoded; None or no entry means there is no such Secret.
Secrets = Mapping[str, Mapping[str, bytes] | None]

# The receiver of spec.heartbeat. A user's receiver cannot begin with an underscore.
HEARTBEAT = "_heartbeat"

_URL = re.compile(rb"https?://[^\s/]+\S*")
_WORD = re.compile(rb"\S+")
_LINE = re.compile(rb"[^\r\n]+")
# Per kind: the field that names the Secret, the file its value goes to, what it must look like, and that in
# words.
SECRET_FIELDS: dict[str, tuple[str, str, re.Pattern[bytes], str]] = {
    "slack": ("urlSecretRef", "url", _URL, "a web address that begins with https://"),
    "pagerduty": ("routingKeySecretRef", "routing-key", _WORD, "one word, the integration key"),
    "email": ("passwordSecretRef", "password", _LINE, "one line, the password"),
    "webhook": ("urlSecretRef", "url", _URL, "a web address that begins with https:// or http://"),
}
TEXT_FIELDS: dict[str, tuple[str, ...]] = {
    "slack": ("title", "text"),
    "pagerduty": ("description",),
    "email": ("subject", "text", "html"),
    "webhook": (),
}


@dataclass(frozen=True)
class Resolved:
    """A receiver and what is known of it.

    Attributes:
        where: its place in the spec, for messages.
        key: the key of its secret value in the config Secret, such as `oncall.routing-key`; empty when it
        needs none. value: the secret value, or the last good one; None when there never was one.
        secret_found: whether the user's Secret holds a usable value now, or none is needed. rejected_texts:
        text fields that are no valid template and are left to Alertmanager's default. problems: what is
        wrong, in sentences; none of them holds a secret value.
    """

    receiver: Receiver
    where: str
    key: str
    value: bytes | None
    secret_found: bool
    rejected_texts: frozenset[str]
    problems: tuple[str, ...]

    @property
    def can_notify(self) -> bool:
        """Whether Alertmanager can be told how to reach it, with a current or a last good value."""
        return not self.key or self.value is not None


def secret_ref(receiver: Receiver) -> SecretRef | None:
    """The Secret key a receiver needs; None for mail without a password."""
    if receiver.slack:
        return receiver.slack.url_secret_ref
    if receiver.pagerduty:
        return receiver.pagerduty.routing_key_secret_ref
    if receiver.webhook:
        return receiver.webhook.url_secret_ref
    return receiver.email.password_secret_ref if receiver.email else None


def value_key(receiver: Receiver) -> str:
    """The key of its secret value in the config Secret, empty when it needs none."""
    return f"{receiver.name}.{SECRET_FIELDS[receiver.kind][1]}" if secret_ref(receiver) else ""


def referenced_secrets(monitoring: Monitoring) -> frozenset[str]:
    """Names of the Secrets the receivers refer to."""
    refs = (secret_ref(receiver) for receiver, _ in listed(monitoring))
    return frozenset(ref.name for ref in refs if ref)


def listed(monitoring: Monitoring) -> list[tuple[Receiver, str]]:
    """Every receiver with its place in the spec, the heartbeat's last."""
    spec = monitoring.spec
    found = [(receiver, f"spec.receivers[{i}] ({receiver.name})") for i, receiver in enumerate(spec.receivers)]
    if spec.heartbeat:
        hook = Webhook(spec.heartbeat.url_secret_ref)
        # The end of Watchdog is what the listener is to notice by itself.
        found.append((Receiver(HEARTBEAT, send_resolved=False, webhook=hook), "spec.heartbeat"))
    return found


def resolve(monitoring: Monitoring, secrets: Secrets, last_good: Mapping[str, bytes]) -> tuple[Resolved, ...]:
    """Every receiver with its value.

    Args:
        monitoring: whose receivers.
        secrets: the Secrets they refer to.
        last_good: data of the config Secret as it is now; a value that cannot be had is taken from there.
    """
    return tuple(
        _resolve(monitoring.namespace, where, receiver, secrets, last_good) for receiver, where in listed(monitoring)
    )


def _resolve(
    namespace: str, where: str, receiver: Receiver, secrets: Secrets, last_good: Mapping[str, bytes]
) -> Resolved:
    texts = dict(_rejected_texts(receiver))
    problems = [f"{where}: {receiver.kind}.{name} {problem}" for name, problem in texts.items()]
    ref = secret_ref(receiver)
    key, value, found = "", None, True
    if ref:
        key = value_key(receiver)
        value, problem = _value(namespace, receiver, ref, secrets)
        found = value is not None
        if value is None:
            value = last_good.get(key)
            problems.insert(0, f"{where}: {problem}; {_meanwhile(receiver, value)}")
    return Resolved(receiver, where, key, value, found, frozenset(texts), tuple(problems))


def _value(namespace: str, receiver: Receiver, ref: SecretRef, secrets: Secrets) -> tuple[bytes | None, str]:
    field, _, pattern, wanted = SECRET_FIELDS[receiver.kind]
    secret = secrets.get(ref.name)
    path = field if receiver.name == HEARTBEAT else f"{receiver.kind}.{field}"
    named = f"{path} names Secret {namespace}/{ref.name}"
    if secret is None:
        return None, f"{named}, which does not exist: create it with the key {ref.key}"
    if ref.key not in secret:
        return None, f"{named}, which has no key {ref.key}: add the key"
    value = secret[ref.key].strip(b"\r\n") if receiver.email else secret[ref.key].strip()
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
            yield name, f"is not a valid template, {error}; until then the default text is sent"
