"""Settings, read from the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

ROLES = ("all", "api", "agents")
SWITCH = ("enabled", "disabled")
LEVELS = ("critical", "error", "warning", "info", "debug")
LAST_PORT = 65535

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Settings:
    """How the process runs.

    Attributes:
        role: ``api`` answers requests, ``agents`` works the queue, ``all`` does both in one process.
        host: The address to listen on.
        port: The port of the API, of ``/metrics`` and of the switches.
        load_rate: Work that the process makes for itself: requests per second in ``api``, tasks per second in
            ``agents``, both in ``all``. 0 makes none; ``PUT /load`` changes it.
        workers: Tasks that each agent works on at once.
        accounts: Accounts that exist.
        zoho_quota: Calls per minute that the simulated Zoho allows.
        faults: Whether faults can be switched on and the load changed over HTTP, by anyone who reaches the port.
        mishaps: Share of calls, queries and answers that go wrong in ordinary times, from 0 to 1.
        log_level: Level of the log.
    """

    role: str = "all"
    host: str = "0.0.0.0"  # noqa: S104  # a pod is reached by its address, not by loopback
    port: int = 8000
    load_rate: float = 0.0
    workers: int = 4
    accounts: int = 200
    zoho_quota: int = 6000
    mishaps: float = 0.0
    log_level: str = "info"
    faults: bool = False

    @property
    def has_api(self) -> bool:
        """Whether this process answers the API."""
        return self.role in ("all", "api")

    @property
    def has_agents(self) -> bool:
        """Whether this process runs agents."""
        return self.role in ("all", "agents")


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``SERGAS_ROLE``, ``SERGAS_PORT`` and so on; see the README.

    Raises:
        ValueError: A variable has a value that cannot be used; the message names it.
    """
    return Settings(
        role=_word(environment, "SERGAS_ROLE", Settings.role, ROLES, "role"),
        host=environment.get("SERGAS_HOST", Settings.host),
        port=_port(environment, "SERGAS_PORT", Settings.port),
        load_rate=_number(environment, "SERGAS_LOAD_RATE", Settings.load_rate, float, "number"),
        workers=_count(environment, "SERGAS_WORKERS", Settings.workers),
        accounts=_count(environment, "SERGAS_ACCOUNTS", Settings.accounts),
        zoho_quota=_count(environment, "SERGAS_ZOHO_QUOTA", Settings.zoho_quota),
        mishaps=_share(environment, "SERGAS_MISHAPS", Settings.mishaps),
        log_level=_word(environment, "SERGAS_LOG_LEVEL", Settings.log_level, LEVELS, "level"),
        faults=_word(environment, "SERGAS_FAULTS", "disabled", SWITCH, "switch") == "enabled",
    )


def _word(environment: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...], what: str) -> str:
    text = environment.get(name, default)
    if text.lower() not in allowed:
        raise ValueError(f"{name}={text!r} is no {what}: write one of {', '.join(allowed)}")
    return text.lower()


def _count(environment: Mapping[str, str], name: str, default: int) -> int:
    count = _number(environment, name, default, int, "whole number")
    if count < 1:
        raise ValueError(f"{name}={environment[name]!r} is below 1: write 1 or more")
    return count


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    port = _count(environment, name, default)
    if port > LAST_PORT:
        raise ValueError(f"{name}={environment[name]!r} is above {LAST_PORT}: write a port, such as {name}={default}")
    return port


def _share(environment: Mapping[str, str], name: str, default: float) -> float:
    share = _number(environment, name, default, float, "number")
    if share > 1:
        raise ValueError(f"{name}={environment[name]!r} is above 1: write a share, such as {name}=0.01")
    return share


def _number(environment: Mapping[str, str], name: str, default: N, read: Callable[[str], N], what: str) -> N:
    text = environment.get(name, "")
    number: N | None
    try:
        number = read(text) if text else default
    except ValueError:
        number = None
    if number is None or not math.isfinite(number):
        raise ValueError(f"{name}={text!r} is no {what}: write one, such as {name}={default:g}")
    if number < 0:
        raise ValueError(f"{name}={text!r} is below 0: write 0 or more")
    return number
