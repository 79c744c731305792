"""Alertmanager's configuration, and the Secret that holds it.

The YAML holds no secret: values stand in further keys of the Secret, which prometheus-operator mounts
beside it, and are named as files. A rotated value so rolls no pod and reloads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sergas_operator import names
from sergas_operator.desired.digest import CONFIG_KEY as DIGEST_KEY
from sergas_operator.desired.digest import digest_config, feed
from sergas_operator.desired.inhibition import inhibit_rules
from sergas_operator.desired.integrations import FOLDER, integration
from sergas_operator.desired.message_templates import GLOB, message_templates
from sergas_operator.desired.routes import NO_ONE, route_tree
from sergas_operator.hearers import digest_receivers
from sergas_operator.receivers import Resolved
from sergas_operator.spec import Monitoring

CONFIG_KEY = "alertmanager.yaml"
MARKER = "_config-"
HASH_LENGTH = 16


@dataclass(frozen=True)
class Config:
    """A rendered configuration: its YAML, and the files that go beside it, by key: secret values, message
    templates and the digest's configuration.
    """

    text: str
    files: dict[str, bytes]


def render(monitoring: Monitoring, receivers: Sequence[Resolved]) -> Config:
    """The configuration `monitoring` asks for. The same input gives the same bytes.

    A receiver nobody routes to carries the hash as its name: asked for its receivers, Alertmanager so
    proves what it runs.
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
            {"name": NO_ONE},
            *(integration(resolved) for resolved in receivers),
            *([feed(monitoring)] if with_digest else []),
        ],
    }
    # Templates count: Alertmanager reads them when it loads the configuration, and at no other time.
    seen = [document, {key: text.decode() for key, text in templates.items()}]
    digest = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:HASH_LENGTH]
    document["receivers"].append({"name": MARKER + digest})  # type: ignore[attr-defined]  # a list, made above
    values = {resolved.key: resolved.value for resolved in receivers if resolved.key and resolved.value is not None}
    more = {DIGEST_KEY: digest_config(spec)} if with_digest else {}
    return Config(_dump(document), {**templates, **values, **more})


def config_secret(monitoring: Monitoring, config: Config) -> dict[str, Any]:
    """The Secret that holds `config`."""
    data = {CONFIG_KEY: config.text.encode(), **config.files}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": names.metadata(monitoring, names.config_secret(monitoring.name), names.ALERTMANAGER),
        "type": "Opaque",
        "data": {key: base64.b64encode(value).decode() for key, value in sorted(data.items())},
    }


def loaded_hash(receiver_names: Iterable[str]) -> str:
    """The hash of the configuration an Alertmanager with these receivers runs; empty when it is none of
    ours.
    """
    return next((name.removeprefix(MARKER) for name in receiver_names if name.startswith(MARKER)), "")


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096)


# libyaml's dumper is ten times as fast where PyYAML was built with it, and writes the same.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]  # its base is chosen at run time
    """No anchors: the parts of a configuration that repeat are to be read where they stand."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the overridden method's signature
        return True
