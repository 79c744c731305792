"""The texts of messages: files in templates/, which stand in the config Secret beside the configuration."""

from __future__ import annotations

import functools
from importlib import resources

from sergas_operator.model.spec import Spec

# Receivers' files cannot begin with an underscore.
PREFIX = "_"
GLOB = f"{PREFIX}*.tmpl"
FILES = ("common.tmpl", "slack.tmpl", "email.tmpl", "pagerduty.tmpl")
# The two define the same names: a link that silences an alert, or nothing where nobody could follow it.
SILENCE, NO_SILENCE = "silence.tmpl", "no-silence.tmpl"


ADDRESS = "address.tmpl"


def message_templates(spec: Spec) -> dict[str, bytes]:
    """The template files for `spec`, by key of the config Secret."""
    address = spec.alertmanager.external_url.rstrip("/")
    files = {name: _read(name) for name in (*FILES, SILENCE if address else NO_SILENCE)}
    if address:
        # The CRD lets no quote, brace or blank into it. Inside an alert a template has no other way to it.
        files[ADDRESS] = f'{{{{ define "sergas.alertmanager" }}}}{address}{{{{ end }}}}\n'.encode()
    return {f"{PREFIX}{name}": text for name, text in sorted(files.items())}


@functools.cache
def _read(name: str) -> bytes:
    return (resources.files("sergas_operator") / "templates" / name).read_bytes()
