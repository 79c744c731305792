"""Every metric of the catalogue, as five pods of the application would export it on the day of the story."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

import numpy as np

from dashboards.preview.example.clock import TIMES, Values
from dashboards.preview.example.levels import LEVELS
from dashboards.preview.example.story import RELEASE, incident, load, warming
from dashboards.preview.example.tracks import Labels, Track, chance, counter, gauge, histogram, spent
from sergas_metrics.catalogue import CATALOGUE, MetricSpec

NAMESPACE: Final = "crm"
PODS: Final = {
    "sergas-api": ("sergas-api-7c9f8-2k4qd", "sergas-api-7c9f8-m8xzt", "sergas-api-7c9f8-w5vnp"),
    "sergas-agents": ("sergas-agents-5d6bb-h2zlk", "sergas-agents-5d6bb-t9rcs"),
}
# How long before and after the release a pod does not answer.
AWAY_SECONDS: Final = 20
# The application's parts by the beginning of a metric's name; all others are the agents' work.
BY_API: Final = ("sergas_http", "sergas_cache", "sergas_database", "sergas_accounts", "sergas_unhandled")
BY_BOTH: Final = ("sergas_errors", "sergas_http", "sergas_metrics")

# Values of a label with their shares of the whole, for one metric (by the beginning of its name) or for any.
VALUES: Final[dict[tuple[str, str], Mapping[str, float]]] = {
    ("", "method"): {"GET": 1},
    ("", "route"): {
        "/accounts": 0.3,
        "/accounts/{account_id}": 0.4,
        "/accounts/{account_id}/recommendations": 0.18,
        "/accounts/{account_id}/sync": 0.12,
    },
    ("sergas_http", "status"): {"200": 0.96, "404": 0.02, "429": 0.006, "500": 0.002, "503": 0.002},
    ("sergas_zoho_syncs", "status"): {"success": 0.985, "failure": 0.015},
    ("sergas_zoho", "status"): {"200": 0.985, "429": 0.006, "500": 0.004, "timeout": 0.003},
    ("", "status"): {"success": 0.98, "failure": 0.01},
    ("", "endpoint"): {"accounts": 0.6, "contacts": 0.25, "deals": 0.15},
    ("", "agent"): {"sync": 0.5, "memory": 0.3, "recommendation": 0.2},
    ("sergas_database", "error_type"): {"OperationalError": 0.7, "InterfaceError": 0.3},
    ("sergas_unhandled", "error_type"): {"KeyError": 0.6, "ValueError": 0.4},
    ("", "error_type"): {"ZohoRateLimitError": 0.5, "TimeoutError": 0.3, "ValidationError": 0.2},
    ("", "type"): {"renewal": 0.45, "upsell": 0.35, "risk_review": 0.2},
    ("", "category"): {"analytics": 0.5, "support": 0.3, "training": 0.2},
    ("", "reason"): {"price": 0.4, "timing": 0.3, "not relevant": 0.2, "already offered": 0.1},
    ("", "source"): {"zoho": 0.6, "web": 0.25, "memory": 0.15},
    ("", "cache"): {"accounts": 0.7, "embeddings": 0.3},
    ("sergas_cache", "operation"): {"get": 0.85, "set": 0.15},
    ("sergas_database", "operation"): {"select_account": 0.6, "list_accounts": 0.25, "update_account": 0.15},
    ("", "operation"): {"ingest": 0.7, "embed": 0.3},
    ("", "severity"): {"warning": 0.6, "error": 0.32, "critical": 0.08},
    ("", "state"): {"in_use": 0.35, "idle": 0.25},
    ("sergas_metrics", "metric"): {"sergas_errors_total": 1},
    ("sergas_metrics", "collector"): {"PoolCollector": 1},
}
BAD: Final = {"500", "503", "429", "timeout", "failure", "ZohoRateLimitError", "TimeoutError", "critical"}

# Events a second and pod at full load, or the median of what a histogram measures, by the beginning of a name.
RATES: Final = {
    "sergas_http": 14.0,
    "sergas_zoho_sync_failures": 0.004,
    "sergas_zoho_rate_limit_exceeded": 0.004,
    "sergas_zoho": 3.0,
    "sergas_agent_task_failures": 0.03,
    "sergas_agent_task_retries": 0.06,
    "sergas_agent": 2.4,
    "sergas_recommendations_accepted": 0.06,
    "sergas_recommendations_rejected": 0.03,
    "sergas_recommendation": 0.11,
    "sergas_cross_sell": 0.02,
    "sergas_upsell": 0.015,
    "sergas_cache_misses": 2.0,
    "sergas_cache": 18.0,
    "sergas_database_errors": 0.003,
    "sergas_database": 9.0,
    "sergas_errors": 0.05,
    "sergas_unhandled": 0.002,
    "sergas_metrics": 0.0,
}
# How much of the whole fails at the height of the incident, for each kind of failure.
WORSE: Final = {"sergas_http": 0.12, "sergas_zoho": 0.6}
MEDIANS: Final = {
    "sergas_http": 0.045,
    "sergas_zoho": 0.12,
    "sergas_memory": 0.6,
    "sergas_agent": 0.9,
    "sergas_recommendation_confidence": 0.72,
    "sergas_recommendation": 2.2,
    "sergas_account_processing": 3.0,
    "sergas_account_enrichment": 0.7,
    "sergas_cache": 0.0004,
    "sergas_database": 0.018,
}


def tracks() -> Iterator[Track]:
    """All series of all pods, what Prometheus adds to each target included."""
    for job, pods in PODS.items():
        for number, pod in enumerate(pods):
            target = {"namespace": NAMESPACE, "job": job, "pod": pod, "instance": f"10.42.{number}.17:8000"}
            yield from _process(target, job)
            for spec in CATALOGUE:
                if exports(job, spec):
                    yield from _metric(spec, target)


def exports(job: str, spec: MetricSpec) -> bool:
    by_api = spec.name.startswith(BY_API)
    return spec.name.startswith(BY_BOTH) or by_api == (job == "sergas-api")


def _process(target: Labels, job: str) -> Iterator[Track]:
    """What every client library exports, and the health of the scrape: a pod is away for a moment at the release."""
    busy = load() * (0.35 if job == "sergas-api" else 0.5) + 0.3 * incident()
    yield gauge("up", target, np.where(np.abs(TIMES - RELEASE) < AWAY_SECONDS, 0.0, 1.0))
    yield gauge("process_start_time_seconds", target, np.where(TIMES < RELEASE, RELEASE - 6 * 86400.0, RELEASE))
    yield spent("process_cpu_seconds_total", target, busy)
    yield gauge("process_resident_memory_bytes", target, 180e6 + 70e6 * load() + 90e6 * incident(), 0.01)


def _metric(spec: MetricSpec, target: Labels) -> Iterator[Track]:
    for labels, share in combinations(spec):
        own = target | labels
        if spec.kind == "gauge":
            level = LEVELS.get(spec.name, lambda: np.ones(len(TIMES)))()
            yield gauge(spec.name, own, level if spec.unit else np.round(share * level))
        elif spec.kind == "counter":
            yield counter(spec.name, own, rate(spec, target["job"], labels, share))
        else:
            sigma = 0.28 if spec.unit == "ratio" else 0.7
            yield from histogram(
                spec.name,
                own,
                rate(spec, target["job"], labels, share),
                median(spec, labels),
                spec.buckets,
                sigma=sigma,
            )


def combinations(spec: MetricSpec) -> Iterator[tuple[Labels, float]]:
    """Each set of labels of the metric with its share of the whole."""
    offered = [[(label, value, share) for value, share in values(spec.name, label).items()] for label in spec.labels]
    for chosen in product(*offered):
        yield {label: value for label, value, _ in chosen}, float(np.prod([share for *_, share in chosen]))


def values(name: str, label: str) -> Mapping[str, float]:
    """The values of a label: this metric's own, or those of any metric, or one that stands for a label not foreseen."""
    found = [by_value for (start, own), by_value in VALUES.items() if own == label and name.startswith(start)]
    return found[0] if found else {"default": 1.0}


def rate(spec: MetricSpec, job: str, labels: Labels, share: float) -> Values:
    """Events a second: with the load of the day, and many more failures in the incident."""
    base = _by_start(RATES, spec.name, 0.5) * (0.1 if job == "sergas-agents" and spec.domain == "http" else 1)
    if BAD & set(labels.values()) or spec.name == "sergas_zoho_rate_limit_exceeded_total":
        return base * (share * load() + _by_start(WORSE, spec.name, 0.05) * incident() * (share + 0.1))
    if "failures" in spec.name or "misses" in spec.name:
        return base * share * load() * (1 + 8 * incident() + 6 * warming())
    return base * share * load() * (1 - 0.25 * incident())


def median(spec: MetricSpec, labels: Labels) -> Values:
    """The middle of what is measured: what waits for Zoho takes many times as long in the incident."""
    base = _by_start(MEDIANS, spec.name, 0.1)
    if spec.unit == "ratio":
        return base + 0.05 * np.sin(TIMES / 2000) - 0.15 * incident()
    own = chance(spec.name, labels).uniform(0.6, 1.6)
    return base * own * (1 + _slower(spec) * incident() + 1.5 * warming())


def _slower(spec: MetricSpec) -> int:
    """How many times as long it takes at the height of the incident, and once more."""
    return {"http": 24, "zoho": 16, "agent": 7, "business": 7}.get(spec.domain, 3)


def _by_start(table: Mapping[str, float], name: str, default: float) -> float:
    return next((value for start, value in table.items() if name.startswith(start)), default)
