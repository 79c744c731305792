"""Measurements of blocks and functions: ``with``, ``async with``, and decorators of functions of every kind."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
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
    may be nested; each call of a decorated function is measured on its own.

    Args:
        where: What it is called in ``sergas_metrics_errors_total``.
        end: Called once with what ``begin`` gave, the exception if there is one, and the seconds.
        begin: Called first; what it gives is the block's ``as``.
    """

    __slots__ = ("_begin", "_end", "_runs", "_where")

    def __init__(
        self, where: str, end: Callable[[T, BaseException | None, float], None], begin: Callable[[], T]
    ) -> None:
        self._where = where
        self._end = end
        self._begin = begin
        self._runs: list[_Run] = []

    def __enter__(self) -> T:
        """Begin to measure."""
        run = self.run()
        self._runs.append(run)
        return cast("T", run.__enter__().subject)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Record the block."""
        self._runs.pop().__exit__(kind, error, trace)

    async def __aenter__(self) -> T:
        """Begin to measure."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Record the block."""
        self._runs.pop().__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, measured, and of the same kind.

        Raises:
            TypeError: The decorated object is not a function.
        """
        if isinstance(function, classmethod | staticmethod | property):
            kind = type(function).__name__
            raise TypeError(f"@{self._where} must stand below @{kind}: write @{kind} first and @{self._where} under it")
        if not callable(function) or inspect.isclass(function):
            raise TypeError(f"@{self._where} decorates functions and methods, not {function!r}")
        wrapper = next((wrap for is_kind, wrap in _WRAPPERS if _is(is_kind, function)), _plain)
        return cast("Callable[P, R]", functools.wraps(function)(wrapper(self.run, function)))

    def run(self) -> _Run:
        """A measurement of one block or call."""
        return _Run(self._where, self._begin, self._end)


class _Run:
    """Measures once, and can be paused."""

    __slots__ = ("_begin", "_end", "_entered", "_seconds", "_where", "subject")

    def __init__(self, where: str, begin: Callable[[], Any], end: Callable[..., None]) -> None:
        self._where = where
        self._begin = begin
        self._end: Callable[..., None] | None = end
        self._seconds = 0.0
        self.subject: Any = None

    def __enter__(self) -> _Run:
        try:
            self.subject = self._begin()
        except Exception:
            self._end = None  # what did not begin has no end
            failed(self._where)
        self._entered = perf_counter()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.pause()
        if self._end is not None:
            guarded(self._where, self._end, self.subject, error, self._seconds)

    def pause(self) -> None:
        """What happens until ``resume`` is not part of it."""
        self._seconds += perf_counter() - self._entered

    def resume(self) -> None:
        """Go on."""
        self._entered = perf_counter()


Start = Callable[[], _Run]


def _is(kind: Callable[[object], bool], function: Callable[..., Any]) -> bool:
    """Whether a function, or an object's ``__call__``, is of a kind."""
    return kind(function) or (not inspect.isroutine(function) and kind(type(function).__call__))


def _plain(start: Start, function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **kwargs: Any) -> Any:
        with start():
            return function(*args, **kwargs)

    return measured


def _coroutine(start: Start, function: Callable[..., Any]) -> Callable[..., Any]:
    async def measured(*args: Any, **kwargs: Any) -> Any:
        with start():
            return await function(*args, **kwargs)

    return measured


def _generator(start: Start, function: Callable[..., Any]) -> Callable[..., Any]:
    def measured(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with start() as run:
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


def _async_generator(start: Start, function: Callable[..., Any]) -> Callable[..., Any]:
    async def measured(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with start() as run:
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


def nothing() -> None:
    """Begins what needs no beginning."""


def timing(where: str, report: Callable[[float], object]) -> Measurement[None]:
    """Reports the seconds of each block or call, also of one that raises."""

    def end(_: None, __: BaseException | None, seconds: float) -> None:
        report(seconds)

    return Measurement(where, end, nothing)


def counting_errors(
    where: str, report: Callable[[Any], object], is_error: Callable[[Any], object]
) -> Measurement[None]:
    """Reports the exception that ends a block or call, where it is an error."""

    def end(_: None, error: BaseException | None, __: float) -> None:
        if error is not None and is_error(error):
            report(error)

    return Measurement(where, end, nothing)


def in_progress(where: str, inc: Callable[[], None], dec: Callable[[], None]) -> Measurement[None]:
    """Raises a gauge for as long as a block or call runs."""
    return Measurement(where, lambda *_: dec(), inc)
