"""Timing by turns: everything that is compared runs in every round, so that a busy machine slows all of it alike."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

Loop = Callable[[int], object]


def loop(statement: str, **names: Any) -> Loop:
    """A function that runs a statement n times, with the names in its globals as an application's code has them."""
    space = dict(names)
    exec(f"def run(n):\n for _ in range(n):\n  {statement}\n", space)  # noqa: S102  # statements of this folder alone
    run: Loop = space["run"]
    return run


def once(function: Callable[[], object]) -> Loop:
    """A function that calls another n times."""
    return loop("f()", f=function)


def by_turns(loops: dict[str, Loop], count: int, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds of one repetition in each round, for each loop."""
    found: dict[str, list[float]] = {name: [] for name in loops}
    with _without_collections():
        for _ in range(rounds):
            for name, run in loops.items():
                start = perf_counter_ns()
                run(count)
                found[name].append((perf_counter_ns() - start) / count)
    return found


def best(loops: dict[str, Loop], count: int, rounds: int) -> dict[str, float]:
    """The least nanoseconds of one repetition: what it costs when nothing interferes."""
    return {name: min(values) for name, values in by_turns(loops, count, rounds).items()}


def medians(values: dict[str, list[float]]) -> dict[str, float]:
    """The middle of each list."""
    return {name: statistics.median(each) for name, each in values.items()}


@contextmanager
def _without_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
