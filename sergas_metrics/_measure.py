"""Measurements of blocks and functions: ``with``, ``async with``, and decorators of functions of every kind."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from time import perf_counter
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, cast

from ._boundary import failed, guarded

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Measurement(Generic[T]):
    """Measures a block with ``with`` or ``async with``, or every call of a function as its decorator.

    It decorates functions, coroutine functions, generators, async generators and methods, each staying what it was. A
    generator is measured once, at its end, with the time spent inside it and not in its consumer. Blocks of one object
    may be nested, and overlap in tasks and threads; each call of a decorated function is measured on its own.

    Args:
        where: What it is called in ``sergas_metrics_errors_total``.
        end: Called once with what ``begin`` gave, the exception if there is one, and the seconds.
        begin: Called first; what it gives is the block's ``as``.
    """

    __slots__ = ("_open", "begin", "end", "where")

    def __init__(
        self,
        where: str,
        end: Callable[[T, BaseException | None, float], object],
        begin: Callable[[], Any] = lambda: None,
    ) -> None:
        self.where = where
        self.end = end
        self.begin = begin
        self._open: dict[_Run, None] = {}

    def __enter__(self) -> T:
        """Begin to measure."""
        run = _Run(self)
        run.outer = _innermost.get()
        _innermost.set(run)
        self._open[run] = None
        return cast("T", run.__enter__().subject)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Record the block."""
        guarded(self.where, self._leave, error)

    async def __aenter__(self) -> T:
        """Begin to measure."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Record the block."""
        guarded(self.where, self._leave, error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, measured, and of the same kind.

        Raises:
            TypeError: The decorated object is not a function.
        """
        if isinstance(function, classmethod | staticmethod | property):
            kind = type(function).__name__
            raise TypeError(f"@{self.where} must stand below @{kind}: write @{kind} first and @{self.where} under it")
        if not callable(function) or inspect.isclass(function):
            raise TypeError(f"@{self.where} decorates functions and methods, not {function!r}")
        wrapper = next((wrap for is_kind, wrap in _WRAPPERS if _is(is_kind, function)), _plain)
        return cast("Callable[P, R]", functools.wraps(function)(wrapper(self, function)))

    def _leave(self, error: BaseException | None) -> None:
        """End the last block that was entered in this task or thread and is open."""
        run = innermost = _innermost.get()
        while run is not None and run not in self._open:
            run = run.outer
        if run is None:  # entered elsewhere, as by a framework that runs the two ends of a dependency in two threads
            run = next(reversed(self._open))
        elif run is innermost:
            _innermost.set(run.outer)
        del self._open[run]
        run.outer = None  # tasks that were started in the block hold on to it
        run.finish(error)


class _Run:
    """Measures one block or call, and can be paused.

    Attributes:
        subject: What the measurement's ``begin`` gave.
        outer: The block around it, of any measurement.
    """

    __slots__ = ("_began", "_entered", "_measurement", "_seconds", "outer", "subject")

    def __init__(self, measurement: Measurement[Any]) -> None:
        self._measurement = measurement
        self._seconds = 0.0
        self._began = True
        self.subject: Any = None
        self.outer: _Run | None = None

    def __enter__(self) -> _Run:
        try:
            self.subject = self._measurement.begin()
        except Exception:
            self._began = False  # what did not begin has no end
            failed(self._measurement.where)
        self._entered = perf_counter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        guarded(self._measurement.where, self.finish, error)

    def finish(self, error: BaseException | None) -> None:
        """Record it."""
        self.pause()
        if self._began:
            self._measurement.end(self.subject, error, self._seconds)

    def pause(self) -> None:
        """What happens until ``resume`` is not part of it."""
        self._seconds += perf_counter() - self._entered

    def resume(self) -> None:
        """Go on."""
        self._entered = perf_counter()


_innermost: ContextVar[_Run | None] = ContextVar("sergas_metrics_innermost", default=None)
"""The block that this task or thread entered last."""


def _is(kind: Callable[[object], bool], function: Callable[..., Any]) -> bool:
    """Whether a function, or an object's ``__call__``, is of a kind."""
    return kind(function) or (not inspect.isroutine(function) and kind(type(function).__call__))


def _plain(measurement: Measurement[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **kwargs: Any) -> Any:
        with _Run(measurement):
            return function(*args, **kwargs)

    return measured


def _coroutine(measurement: Measurement[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    async def measured(*args: Any, **kwargs: Any) -> Any:
        with _Run(measurement):
            return await function(*args, **kwargs)

    return measured


def _generator(measurement: Measurement[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with _Run(measurement) as run:
            inner = function(*args, **kwargs)
            step, sent = inner.send, None
            while True:
                try:
                    item = step(sent)
                except StopIteration as end:
                    return end.value
                run.pause()
                try:
                    step, sent = inner.send, (yield item)
                except GeneratorExit:
                    run.resume()
                    inner.close()
                    raise
                except BaseException as error:  # whatever is thrown in belongs to the inner one
                    step, sent = inner.throw, error
                run.resume()

    return measured


def _async_generator(measurement: Measurement[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    async def measured(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with _Run(measurement) as run:
            inner = function(*args, **kwargs)
            step, sent = inner.asend, None
            while True:
                try:
                    item = await step(sent)
                except StopAsyncIteration:
                    return
                run.pause()
                try:
                    step, sent = inner.asend, (yield item)
                except GeneratorExit:
                    run.resume()
                    await inner.aclose()
                    raise
                except BaseException as error:  # whatever is thrown in belongs to the inner one
                    step, sent = inner.athrow, error
                run.resume()

    return measured


_WRAPPERS = (
    (inspect.isasyncgenfunction, _async_generator),
    (inspect.isgeneratorfunction, _generator),
    (inspect.iscoroutinefunction, _coroutine),
)


def timing(where: str, report: Callable[[float], object]) -> Measurement[None]:
    """Reports the seconds of each block or call, also of one that raises."""
    return Measurement(where, lambda _, __, seconds: report(seconds))


def counting_errors(
    where: str, report: Callable[[Any], object], is_error: Callable[[Any], object]
) -> Measurement[None]:
    """Reports the exception that ends a block or call, where it is an error."""

    def end(_: None, error: BaseException | None, __: float) -> None:
        if error is not None and is_error(error):
            report(error)

    return Measurement(where, end)


def in_progress(where: str, inc: Callable[[], None], dec: Callable[[], None]) -> Measurement[None]:
    """Raises a gauge for as long as a block or call runs."""
    return Measurement(where, lambda *_: dec(), inc)
