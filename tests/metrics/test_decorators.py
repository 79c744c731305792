"""track_time and count_errors on functions of every kind."""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry

from sergas_metrics import MetricsCollector, count_errors, track_time

Sample = Callable[..., float | None]


@pytest.fixture
def timed(metrics: MetricsCollector) -> Any:
    return track_time(metrics.agent.task_duration, agent="sync")


@pytest.fixture
def counted(metrics: MetricsCollector) -> Any:
    return count_errors(metrics.agent.task_failures, agent="sync")


@pytest.fixture
def seconds(sample: Sample) -> Callable[[], tuple[float | None, float | None]]:
    """How many calls were observed, and their seconds together."""
    name = "sergas_agent_task_duration_seconds"
    return lambda: (sample(f"{name}_count", agent="sync"), sample(f"{name}_sum", agent="sync"))


@pytest.fixture
def failures(sample: Sample) -> Callable[[str], float | None]:
    return lambda kind: sample("sergas_agent_task_failures_total", agent="sync", error_type=kind)


def test_a_function_is_timed_and_its_result_passes(timed: Any, seconds: Any, clock: Any) -> None:
    @timed
    def add(a: int, b: int = 1) -> int:
        clock.passes(2)
        return a + b

    assert add(2, b=3) == 5
    assert seconds() == (1, 2)


def test_a_function_that_raises_is_timed_too(timed: Any, seconds: Any, clock: Any) -> None:
    @timed
    def fail() -> None:
        clock.passes(3)
        raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert seconds() == (1, 3)


async def test_a_coroutine_function_is_timed_and_stays_one(timed: Any, seconds: Any, clock: Any) -> None:
    @timed
    async def wait() -> str:
        clock.passes(1)
        await asyncio.sleep(0)
        clock.passes(1)
        return "done"

    assert inspect.iscoroutinefunction(wait)
    assert await wait() == "done"
    assert seconds() == (1, 2)


async def test_a_cancelled_coroutine_is_timed_and_stays_cancelled(timed: Any, seconds: Any) -> None:
    @timed
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seconds()[0] == 1


def test_a_generator_is_timed_without_its_consumer(timed: Any, seconds: Any, clock: Any) -> None:
    @timed
    def count() -> Iterator[int]:
        for number in range(3):
            clock.passes(1)
            yield number

    assert inspect.isgeneratorfunction(count)
    for _ in count():
        clock.passes(100)
    assert seconds() == (1, 3)


def test_a_generator_that_is_never_started_is_not_observed(timed: Any, seconds: Any) -> None:
    @timed
    def count() -> Iterator[int]:
        yield 1

    count()
    assert seconds() == (0, 0)


def test_a_generator_left_early_is_closed_and_observed_once(timed: Any, seconds: Any, clock: Any) -> None:
    closed: list[bool] = []

    @timed
    def count() -> Iterator[int]:
        try:
            yield 1
        finally:
            clock.passes(5)
            closed.append(True)

    numbers = count()
    next(numbers)
    numbers.close()  # type: ignore[attr-defined]
    assert closed == [True]
    assert seconds() == (1, 5)


def test_what_is_sent_thrown_and_returned_passes_through_a_generator(timed: Any, counted: Any) -> None:
    @counted
    @timed
    def echo() -> Generator[Any, Any, str]:
        received = yield "ready"
        try:
            yield received
        except KeyError as error:
            yield f"caught {error}"
        return "end"

    numbers = echo()
    assert next(numbers) == "ready"
    assert numbers.send("x") == "x"
    assert numbers.throw(KeyError("k")) == "caught 'k'"
    with pytest.raises(StopIteration) as end:
        next(numbers)
    assert end.value.value == "end"


async def test_an_async_generator_is_timed_without_its_consumer(timed: Any, seconds: Any, clock: Any) -> None:
    @timed
    async def count() -> AsyncIterator[int]:
        for number in range(3):
            clock.passes(1)
            await asyncio.sleep(0)
            yield number

    assert inspect.isasyncgenfunction(count)
    async for _ in count():
        clock.passes(100)
    assert seconds() == (1, 3)


async def test_an_async_generator_left_early_is_closed_and_observed_once(
    timed: Any, counted: Any, seconds: Any, failures: Any
) -> None:
    closed: list[bool] = []

    @counted
    @timed
    async def count() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(True)

    async with contextlib.aclosing(count()) as numbers:
        await anext(numbers)
    assert closed == [True]
    assert seconds()[0] == 1
    assert failures("GeneratorExit") is None


async def test_what_is_sent_and_thrown_passes_through_an_async_generator(timed: Any, counted: Any) -> None:
    @counted
    @timed
    async def echo() -> AsyncIterator[Any]:
        received = yield "ready"
        try:
            yield received
        except KeyError as error:
            yield f"caught {error}"

    numbers: Any = echo()
    assert await anext(numbers) == "ready"
    assert await numbers.asend("x") == "x"
    assert await numbers.athrow(KeyError("k")) == "caught 'k'"
    with pytest.raises(StopAsyncIteration):
        await anext(numbers)


def test_methods_of_every_kind_are_timed(timed: Any, seconds: Any) -> None:
    class Service:
        @timed
        def method(self) -> object:
            return self

        @classmethod
        @timed
        def class_method(cls) -> object:
            return cls

        @staticmethod
        @timed
        def static_method() -> int:
            return 1

    service = Service()
    assert service.method() is service
    assert Service.class_method() is Service
    assert Service.static_method() == 1
    assert seconds()[0] == 3


async def test_an_object_with_an_async_call_is_timed_to_its_end(timed: Any, seconds: Any, clock: Any) -> None:
    class Job:
        async def __call__(self) -> None:
            clock.passes(4)

    await timed(Job())()
    assert seconds() == (1, 4)


async def test_a_partial_coroutine_function_is_timed_to_its_end(timed: Any, seconds: Any, clock: Any) -> None:
    async def wait(value: float) -> None:
        clock.passes(value)

    await timed(functools.partial(wait, 4))()
    assert seconds() == (1, 4)


def test_names_and_signatures_stay(timed: Any, counted: Any) -> None:
    @counted
    @timed
    def add(a: int, b: int = 1) -> int:
        """Add."""
        return a + b

    assert add.__name__ == "add"
    assert add.__doc__ == "Add."
    assert str(inspect.signature(add)) == "(a: int, b: int = 1) -> int"


@pytest.mark.parametrize("kind", [classmethod, staticmethod, property])
def test_the_wrong_order_is_refused_with_the_right_one(timed: Any, kind: Any) -> None:
    name = kind.__name__
    with pytest.raises(TypeError) as refusal:
        timed(kind(lambda: None))
    assert str(refusal.value) == (f"@track_time must stand below @{name}: write @{name} first and @track_time under it")


def test_a_class_is_refused(counted: Any) -> None:
    with pytest.raises(TypeError, match=r"^@count_errors decorates functions and methods, not <class 'int'>$"):
        counted(int)


def test_missing_label_values_are_refused_where_the_decorator_stands(metrics: MetricsCollector) -> None:
    with pytest.raises(
        ValueError, match=r"^sergas_agent_task_duration_seconds has the labels \(agent\), but was given"
    ):
        track_time(metrics.agent.task_duration)


def test_an_error_is_counted_by_its_class_and_passes(counted: Any, failures: Any) -> None:
    error = KeyError("x")

    @counted
    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as passed:
        fail()
    assert passed.value is error
    assert failures("KeyError") == 1


async def test_errors_of_coroutines_and_generators_are_counted_once(counted: Any, failures: Any) -> None:
    @counted
    async def coroutine() -> None:
        raise TimeoutError

    @counted
    def generator() -> Iterator[int]:
        yield 1
        raise LookupError

    @counted
    async def async_generator() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(TimeoutError):
        await coroutine()
    with pytest.raises(LookupError):
        list(generator())
    with pytest.raises(ZeroDivisionError):
        [number async for number in async_generator()]
    assert (failures("TimeoutError"), failures("LookupError"), failures("ZeroDivisionError")) == (1, 1, 1)


async def test_a_cancelled_task_is_no_error(counted: Any, failures: Any) -> None:
    @counted
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failures("CancelledError") is None


def test_classes_beyond_the_limit_are_counted_as_other(metrics: MetricsCollector, failures: Any) -> None:
    @count_errors(metrics.agent.task_failures, limit=2, agent="sync")
    def fail(error: Exception) -> None:
        raise error

    for number in (1, 2, 3, 4, 1):
        with pytest.raises(Exception, match="made as it runs"):
            fail(type(f"Error{number}", (Exception,), {})("made as it runs"))
    assert (failures("Error1"), failures("Error2"), failures("Error3"), failures("other")) == (2, 1, None, 2)


def test_metrics_of_prometheus_client_can_be_decorated_with(registry: CollectorRegistry, sample: Sample) -> None:
    seconds = prometheus_client.Histogram("mine_seconds", "Mine.", registry=registry)
    errors = prometheus_client.Counter("mine_errors_total", "Mine.", ["part", "kind"], registry=registry)

    @track_time(seconds)
    @count_errors(errors, label="kind", part="a")
    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert sample("mine_seconds_count") == 1
    assert sample("mine_errors_total", part="a", kind="KeyError") == 1
