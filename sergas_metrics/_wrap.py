"""Wraps functions of every kind around a measurement, each staying the kind it was."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator
from time import perf_counter
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Run:
    """One call that is measured: steps are entered and left in turn, and a plain call is a single step.

    A measurement overrides what it wants to hear of.
    """

    def enter(self) -> None:
        """A step begins."""

    def leave(self) -> None:
        """The step is over."""

    def failed(self, error: Exception) -> None:
        """The call raised."""

    def done(self) -> None:
        """The call is over, however it ended."""


class Measure(ABC):
    """What a decorator measures."""

    @abstractmethod
    def start(self) -> Run:
        """A measurement for one call."""


class Timed(Measure):
    """Reports the seconds spent in all steps of a call."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report

    def start(self) -> Run:
        """A stopwatch at zero."""
        return _Stopwatch(self.report)


class _Stopwatch(Run):
    __slots__ = ("elapsed", "entered", "report")

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report
        self.elapsed = 0.0
        self.entered = 0.0

    def enter(self) -> None:
        self.entered = perf_counter()

    def leave(self) -> None:
        self.elapsed += perf_counter() - self.entered

    def done(self) -> None:
        self.report(self.elapsed)


class Counted(Measure):
    """Reports the exception that ends a call."""

    def __init__(self, report: Callable[[Exception], None]) -> None:
        self.report = report

    def start(self) -> Run:
        """A watch for one exception."""
        return _Watch(self.report)


class _Watch(Run):
    __slots__ = ("report",)

    def __init__(self, report: Callable[[Exception], None]) -> None:
        self.report = report

    def failed(self, error: Exception) -> None:
        self.report(error)


def wrap(measure: Measure, function: Callable[P, R]) -> Callable[P, R]:
    """The function, measured, and of the same kind."""
    if _is(inspect.isasyncgenfunction, function):
        return cast("Callable[P, R]", _async_generator(measure, cast("Any", function)))
    if _is(inspect.isgeneratorfunction, function):
        return cast("Callable[P, R]", _generator(measure, cast("Any", function)))
    if _is(inspect.iscoroutinefunction, function):
        return cast("Callable[P, R]", _coroutine(measure, cast("Any", function)))
    return _plain(measure, function)


def _is(kind: Callable[[object], bool], function: Callable[..., Any]) -> bool:
    """Whether a function, or an object's ``__call__``, is of a kind."""
    return kind(function) or (not inspect.isroutine(function) and kind(type(function).__call__))


def _plain(measure: Measure, function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> R:
        run = measure.start()
        run.enter()
        try:
            return function(*args, **kwargs)
        except Exception as error:
            run.failed(error)
            raise
        finally:
            run.leave()
            run.done()

    return measured


def _coroutine(measure: Measure, function: Callable[P, Any]) -> Callable[P, Any]:
    @functools.wraps(function)
    async def measured(*args: P.args, **kwargs: P.kwargs) -> Any:
        run = measure.start()
        run.enter()
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            run.failed(error)
            raise
        finally:
            run.leave()
            run.done()

    return measured


def _generator(measure: Measure, function: Callable[P, Any]) -> Callable[P, Any]:
    @functools.wraps(function)
    def measured(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
        run = measure.start()
        inner = function(*args, **kwargs)
        step, sent = inner.send, None
        try:
            while True:
                run.enter()
                try:
                    item = step(sent)
                except StopIteration as end:
                    return end.value
                finally:
                    run.leave()
                try:
                    step, sent = inner.send, (yield item)
                except GeneratorExit:
                    _close(run, inner)
                    raise
                except BaseException as error:  # whatever is thrown in belongs to the inner one
                    step, sent = inner.throw, error
        except Exception as error:
            run.failed(error)
            raise
        finally:
            run.done()

    return measured


def _close(run: Run, inner: Generator[Any, Any, Any]) -> None:
    run.enter()
    try:
        inner.close()
    finally:
        run.leave()


def _async_generator(measure: Measure, function: Callable[P, Any]) -> Callable[P, Any]:
    @functools.wraps(function)
    async def measured(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Any, Any]:
        run = measure.start()
        inner = function(*args, **kwargs)
        step, sent = inner.asend, None
        try:
            while True:
                run.enter()
                try:
                    item = await step(sent)
                except StopAsyncIteration:
                    return
                finally:
                    run.leave()
                try:
                    step, sent = inner.asend, (yield item)
                except GeneratorExit:
                    await _aclose(run, inner)
                    raise
                except BaseException as error:  # whatever is thrown in belongs to the inner one
                    step, sent = inner.athrow, error
        except Exception as error:
            run.failed(error)
            raise
        finally:
            run.done()

    return measured


async def _aclose(run: Run, inner: AsyncGenerator[Any, Any]) -> None:
    run.enter()
    try:
        await inner.aclose()
    finally:
        run.leave()
