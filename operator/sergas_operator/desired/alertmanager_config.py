"""Alertmanager's configuration, and the Secret that holds it.

The YAML has no secret value. Values are further keys of the Secret, which prometheus-operator mounts as files, and
the YAML refers to the files. A rotated value therefore restarts no pod and reloads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from sergas_operator.desired import digest
from sergas_operator.desired.inhibition import inhibit_rules
from sergas_operator.desired.inputs import Config, Inputs
from sergas_operator.desired.integrations import FOLDER, integration
from sergas_operator.desired.message_templates import GLOB, message_templates
from sergas_operator.desired.receivers import Resolved
from sergas_operator.desired.recipients import digest_receivers
from sergas_operator.desired.routes import NOBODY, route_tree
from sergas_operator.model import names
from sergas_operator.model.spec import Monitoring

CONFIG_KEY = "alertmanager.yaml"
MARKER = "_config-"
HASH_LENGTH = 16


def render(monitoring: Monitoring, receivers: Sequence[Resolved], token: bytes) -> Config:
    """Return the configuration of `monitoring`. The same input gives the same bytes.

    A receiver without routes has the hash in its name: Alertmanager's list of receivers shows which configuration
    it has loaded.

    Args:
        monitoring: the SergasMonitoring.
        receivers: its receivers with their values.
        token: the bearer token with which Alertmanager authenticates to the digest.
    """
    spec = monitoring.spec
    templates = message_templates(spec)
    with_digest = bool(digest_receivers(spec))
    document = {
        "global": {"resolve_timeout": "5m"},
        "templates": [f"{FOLDER}/{GLOB}"],
        "route": route_tree(spec),
        "inhibit_rules": inhibit_rules(spec),
        "receivers": [
            {"name": NOBODY},
            *(integration(resolved) for resolved in receivers),
            *([digest.digest_webhook(monitoring)] if with_digest else []),
        ],
    }
    # Alertmanager reads the templates only when it loads the configuration.
    hashed = [document, {key: text.decode() for key, text in templates.items()}]
    config_hash = hashlib.sha256(json.dumps(hashed).encode()).hexdigest()[:HASH_LENGTH]
    document["receivers"].append({"name": MARKER + config_hash})  # type: ignore[attr-defined]  # the list above
    values = {resolved.key: resolved.value for resolved in receivers if resolved.key and resolved.value is not None}
    if with_digest:
        values |= {digest.CONFIG_KEY: digest.digest_config(spec), digest.TOKEN_KEY: token}
    return Config(_dump(document), {**templates, **values}, config_hash)


def config_secret(inputs: Inputs) -> dict[str, Any]:
    """The Secret that holds the configuration."""
    monitoring, config = inputs.monitoring, inputs.config
    metadata = names.metadata(monitoring, names.config_secret(monitoring.name), names.ALERTMANAGER)
    annotations = metadata.get("annotations", {}) | {names.CONFIG_HASH_ANNOTATION: config.hash}
    data = {CONFIG_KEY: config.text.encode(), **config.files}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata | {"annotations": annotations},
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in sorted(data.items())},
    }


def loaded_hash(receiver_names: Iterable[str]) -> str:
    """Return the hash of the configuration of an Alertmanager with these receivers; empty when it is not ours."""
    return next((name.removeprefix(MARKER) for name in receiver_names if name.startswith(MARKER)), "")


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


# libyaml's dumper is ten times as fast, and writes the same. Not every build of PyYAML has it.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]  # its base is chosen at run time
    """Writes no anchors, so that every part can be read in place."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the overridden method's signature
        return True
