"""How long Prometheus takes to evaluate each group of rules, as its API tells."""

from __future__ import annotations

import re
from datetime import datetime

import httpx


def groups(url: str) -> list[dict[str, object]]:
    """Every group as /api/v1/rules tells it."""
    found: list[dict[str, object]] = httpx.get(f"{url}/api/v1/rules", timeout=60).json()["data"]["groups"]
    return found


def evaluated(url: str, since: float, longest: float = 3600) -> bool:
    """Whether every group of an interval up to `longest` seconds was evaluated after `since`, in seconds since 1970."""
    found = [group for group in groups(url) if float(str(group["interval"])) <= longest]
    return all(_last(group) > since for group in found)


def broken(url: str) -> list[str]:
    """Rules whose last evaluation failed, with what Prometheus says."""
    rules = [rule for group in groups(url) for rule in group["rules"]]  # type: ignore[attr-defined]
    return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]


def series_in_head(url: str) -> int:
    """How many series Prometheus holds in memory."""
    return int(httpx.get(f"{url}/api/v1/status/tsdb", timeout=60).json()["data"]["headStats"]["numSeries"])


def note(url: str, shares: dict[str, float]) -> None:
    """Keep, for each group, the greatest share of its interval that an evaluation has taken."""
    for group in groups(url):
        name = str(group["name"])
        took, interval = float(str(group["evaluationTime"])), float(str(group["interval"]))
        shares[name] = max(shares.get(name, 0.0), took / interval)


def _last(group: dict[str, object]) -> float:
    """When, in seconds since 1970. Prometheus writes more decimals than Python reads."""
    whole = re.sub(r"[.][0-9]+", "", str(group["lastEvaluation"]))
    return datetime.fromisoformat(whole).timestamp()
