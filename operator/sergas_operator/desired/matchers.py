"""Label matchers as Alertmanager reads them."""

from __future__ import annotations

from sergas_operator.model.spec import Matcher


def matcher(comparison: Matcher) -> str:
    """Such as `severity = "critical"`, with whatever the value holds quoted."""
    escaped = comparison.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{comparison.name} {comparison.match_type} "{escaped}"'
