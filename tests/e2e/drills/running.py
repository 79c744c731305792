"""Run drills side by side, one thread each."""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
from sergas_demo import prometheus
from sergas_demo.kube import CommandError
from sergas_demo.waiting import NotInTimeError, expect, until

from drills import record
from drills.board import Board
from drills.drill import Drill, Outcome
from drills.receivers import told_of
from drills.stack import Stack

READY_SECONDS = 180
FIRE_SECONDS = 240
DELIVER_SECONDS = 60
END_SECONDS = 300
TROUBLE = (NotInTimeError, httpx.HTTPError, CommandError)


@contextmanager
def running(drills: Iterable[Drill], stack: Stack) -> Iterator[dict[Drill, "Future[Outcome]"]]:
    """Begin every drill, and give what will come of each; leaving waits for all."""
    every = list(drills)
    with Board(stack.server, stack.sink) as board, ThreadPoolExecutor(len(every), "drill") as pool:
        yield {drill: pool.submit(_run, drill, stack, board) for drill in every}


@contextmanager
def recorded(
    name: str, drills: Iterable[Drill], stack: Stack, overrides: Mapping[str, Mapping[str, object]]
) -> Iterator[dict[Drill, "Future[Outcome]"]]:
    """Run drills as `running` does, and leave what was measured in build/e2e/alerts/<name>.json."""
    with running(drills, stack) as found:
        yield found
    record.keep(name, [one.result() for one in found.values() if not one.exception()], overrides)


def _run(drill: Drill, stack: Stack, board: Board) -> Outcome:
    outcome = Outcome(drill)
    try:
        _wait_for_needs(drill, stack, board)
        _break(drill, stack, board, outcome)
        if drill.fault.end is not None:
            _mend(drill, stack, board, outcome)
    except TROUBLE as error:
        outcome.error = str(error)
        _mend_quietly(drill, stack)
    since = board.began if drill.fault.end is not None else 0.0
    outcome.receivers = sorted(board.told(drill.key, "firing", since))
    outcome.levels = sorted(board.severities(drill.key))
    return outcome


def _wait_for_needs(drill: Drill, stack: Stack, board: Board) -> None:
    def seen() -> None:
        expect(prometheus.query(stack.server(), drill.needs), f"nothing answers {drill.needs}")

    if drill.needs:
        until(f"What {drill.name} needs", seen, seconds=READY_SECONDS)
    if drill.fault.end is not None:
        board.wait(f"Quiet before {drill.name}", lambda: board.quiet(drill.key), READY_SECONDS)


def _break(drill: Drill, stack: Stack, board: Board, outcome: Outcome) -> None:
    wanted = told_of(drill.alert, drill.severity)
    start = time.monotonic()
    drill.fault.begin(stack)
    outcome.fired = board.wait(drill.alert, lambda: board.firing(drill.key), FIRE_SECONDS) - start
    # A fault that was there from the start may have been told of before anyone looked.
    since = start if drill.fault.end is not None else 0.0
    told = board.wait("Delivery", lambda: board.all_told(drill.key, "firing", wanted, since), DELIVER_SECONDS)
    outcome.delivered = told - start if wanted else None


def _mend(drill: Drill, stack: Stack, board: Board, outcome: Outcome) -> None:
    assert drill.fault.end is not None
    wanted = told_of(drill.alert, drill.severity)
    start = time.monotonic()
    drill.fault.end(stack)
    outcome.quiet = board.wait("The end", lambda: board.quiet(drill.key), END_SECONDS) - start
    told = board.wait("Its telling", lambda: board.all_told(drill.key, "resolved", wanted, start), DELIVER_SECONDS)
    outcome.resolved = told - start if wanted else None


def _mend_quietly(drill: Drill, stack: Stack) -> None:
    """End the fault of a drill that has failed already, lest it disturb others."""
    if drill.fault.end is not None:
        with suppress(*TROUBLE):
            drill.fault.end(stack)
