"""How long Prometheus takes to evaluate each group of rules, as its API tells."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx

Group = dict[str, Any]


def groups(url: str) -> list[Group]:
    """Every group as /api/v1/rules tells it."""
    found: list[Group] = httpx.get(f"{url}/api/v1/rules", timeout=60).json()["data"]["groups"]
    return found


def evaluated(url: str, since: float, longest: float = 3600) -> bool:
    """Whether every group of an interval up to `longest` seconds was evaluated after `since`, in seconds since 1970."""
    found = [group for group in groups(url) if group["interval"] <= longest]
    return all(_last(group) > since for group in found)


def broken(url: str) -> list[str]:
    """Rules whose last evaluation failed, with what Prometheus says."""
    rules = [rule for group in groups(url) for rule in group["rules"]]
    return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]


def series_in_head(url: str) -> int:
    """How many series Prometheus holds in memory."""
    return int(httpx.get(f"{url}/api/v1/status/tsdb", timeout=60).json()["data"]["headStats"]["numSeries"])


def note(url: str, shares: dict[str, float]) -> None:
    """Keep, for each group, the greatest share of its interval that an evaluation has taken."""
    for group in groups(url):
        share = group["evaluationTime"] / group["interval"]
        shares[group["name"]] = max(shares.get(group["name"], 0.0), share)


def _last(group: Group) -> float:
    """When, in seconds since 1970. Prometheus writes more decimals than Python reads."""
    whole = re.sub(r"[.][0-9]+", "", group["lastEvaluation"])
    return datetime.fromisoformat(whole).timestamp()
