"""Every series that an expression of ours may read: the application's, the exporters', and what rules record."""

from collections.abc import Iterator
from typing import Any

from charts.durations import in_seconds
from charts.exported import EXPORTED, SCRAPED_EVERY
from charts.promql import TARGET_LABELS, Series, labels, metrics
from sergas_metrics.catalogue import CATALOGUE

Groups = list[dict[str, Any]]
# Written by Prometheus for every alert; more labels are those of its rule.
OF_ALERTS = frozenset({"alertname", "alertstate", "severity", "category", "agent", "cache", "slo", "metric"})
RULE_EVERY_SECONDS = 30


def known_series(groups: Groups) -> dict[str, Series]:
    """All of them by name, given the rule groups that record and alert."""
    known = dict(_exported()) | dict(_application())
    known["ALERTS"] = Series("gauge", TARGET_LABELS | OF_ALERTS, RULE_EVERY_SECONDS)
    records = [(group, rule) for group in groups for rule in group["rules"] if "record" in rule]
    before = -1
    while before != (now := sum(len(series.labels) for series in known.values())):
        before = now
        for group, rule in records:
            # A record may read another that stands below it: then its turn comes in the next round.
            if metrics(rule["expr"]) <= known.keys():
                known[rule["record"]] = _recorded(group, rule, known)
    return known


def _recorded(group: dict[str, Any], rule: dict[str, Any], known: dict[str, Series]) -> Series:
    """What a rule records, beside what other rules of the same name do."""
    found = labels(rule["expr"], known) | frozenset(rule.get("labels", ()))
    others = known[rule["record"]].labels if rule["record"] in known else frozenset()
    return Series("gauge", found | others, in_seconds(group.get("interval", "30s")))


def _exported() -> Iterator[tuple[str, Series]]:
    for name, (kind, own) in EXPORTED.items():
        yield name, Series(kind, TARGET_LABELS | frozenset(own), SCRAPED_EVERY[name])


def _application() -> Iterator[tuple[str, Series]]:
    every = SCRAPED_EVERY["sergas_"]
    for spec in CATALOGUE:
        own = TARGET_LABELS | frozenset(spec.labels)
        if spec.kind == "histogram":
            yield f"{spec.name}_bucket", Series("counter", own | {"le"}, every)
            yield from ((f"{spec.name}_{part}", Series("counter", own, every)) for part in ("sum", "count"))
        else:
            yield spec.name, Series(spec.kind, own, every)
