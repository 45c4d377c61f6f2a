"""The clock of an attempt: moved, never waited for, and cut by deadlines and events as real time would be."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from math import inf
from typing import Any

import pytest

from scenarios.world.virtual_clock import AttemptClock, Event, SimulatedClock, SimulationError, on_grid

START = 1_800_000_000.25


def entered(**parts: object) -> AttemptClock:
    clock = AttemptClock(START, **parts)  # type: ignore[arg-type]
    clock.enter()
    return clock


async def nothing() -> None:
    """An event that changes nothing."""


async def test_time_moves_only_when_it_is_moved() -> None:
    clock = entered()
    wall = time.perf_counter()
    await clock.advance(2)
    await SimulatedClock().sleep(3600)
    assert clock.now() == START + 3602
    assert SimulatedClock().now() == START + 3602
    assert clock.elapsed() == 3602
    assert time.perf_counter() - wall < 1


async def test_outside_an_attempt_the_clock_is_the_machines() -> None:
    assert abs(SimulatedClock().now() - time.time()) < 1
    with pytest.raises(TimeoutError):
        async with SimulatedClock().timeout(0.01):
            await SimulatedClock().sleep(5)


async def test_sixty_polls_make_exactly_two_minutes_at_any_time_of_day() -> None:
    for start in (1_763_800_000.123456789, 2_000_000_000.987654321):
        clock = AttemptClock(start)
        clock.enter()
        begun = clock.now()
        for _ in range(60):
            await clock.advance(2)
        assert clock.now() - begun == 120
    assert on_grid(inf) == inf


async def test_an_advance_past_the_deadline_stops_exactly_there() -> None:
    clock = entered()
    with pytest.raises(TimeoutError):
        async with clock.timeout(30):
            await clock.advance(inf)
    assert clock.elapsed() == 30
    await clock.advance(1)
    assert clock.elapsed() == 31


async def test_an_advance_onto_the_deadline_is_in_time() -> None:
    clock = entered()
    async with clock.timeout(30):
        await clock.advance(30)
    await clock.advance(100)
    assert clock.elapsed() == 130


async def test_no_time_left_ends_the_first_wait() -> None:
    clock = entered()
    with pytest.raises(TimeoutError):
        async with clock.timeout(0):
            await asyncio.sleep(60)
    assert clock.elapsed() == 0


@pytest.mark.parametrize(("outer", "inner", "ends", "within"), [(10, 20, 10, "outer"), (20, 10, 10, "inner")])
async def test_of_nested_deadlines_the_earliest_ends_its_own_context(
    outer: float, inner: float, ends: float, within: str
) -> None:
    clock = entered()
    caught = ""
    try:
        async with clock.timeout(outer):
            try:
                async with clock.timeout(inner):
                    await clock.advance(60)
            except TimeoutError:
                caught = "inner"
    except TimeoutError:
        caught = "outer"
    assert (caught, clock.elapsed()) == (within, ends)


async def test_a_deadline_looks_like_a_cancellation_to_the_code_inside() -> None:
    clock = entered()
    seen: list[str] = []

    async def call() -> None:
        try:
            await clock.advance(2)
        except Exception:  # noqa: BLE001 - the point: a real deadline is not an Exception inside
            seen.append("exception")
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        async with clock.timeout(1):
            await call()
    assert seen == ["cancelled"]


async def test_a_closed_deadline_is_forgotten() -> None:
    clock = entered()
    async with clock.timeout(5):
        await clock.advance(1)
    await clock.advance(100)
    assert clock.elapsed() == 101


async def calls_side_by_side(clock: AttemptClock, *seconds: float) -> None:
    await asyncio.gather(*(clock.advance(each) for each in seconds))


async def test_calls_side_by_side_take_the_longest_not_the_sum() -> None:
    clock = entered()
    await clock.advance(10)
    await calls_side_by_side(clock, 3, 7, 5)
    assert clock.elapsed() == 17
    await calls_side_by_side(clock, 1, 1)
    assert clock.elapsed() == 18


async def test_a_branch_begins_when_its_task_is_created() -> None:
    clock = entered()

    async def late() -> float:
        await asyncio.sleep(0)
        await clock.advance(5)
        return clock.elapsed()

    task = asyncio.create_task(late())
    await clock.advance(3)
    assert await task == 5
    assert clock.elapsed() == 5


async def test_branches_of_branches_are_merged() -> None:
    clock = entered()

    async def branch() -> None:
        await clock.advance(1)
        await calls_side_by_side(clock, 2, 9)

    await asyncio.gather(branch(), clock.advance(4))
    assert clock.elapsed() == 10


async def test_a_thread_reads_the_time_of_its_caller() -> None:
    clock = entered()
    await clock.advance(5)
    assert await asyncio.to_thread(SimulatedClock().now) == START + 5


async def test_a_deadline_around_calls_side_by_side_ends_them_all() -> None:
    clock = entered()
    with pytest.raises(TimeoutError):
        async with clock.timeout(20):
            await calls_side_by_side(clock, 3, inf, 50)
    assert clock.elapsed() == 20


async def test_a_call_that_was_given_up_does_not_count() -> None:
    clock = entered()

    async def fails() -> None:
        await clock.advance(1)
        raise ValueError

    async def goes_on(seconds: float) -> None:
        await clock.advance(seconds)
        await asyncio.Event().wait()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(goes_on(40))
            group.create_task(fails())

    with pytest.raises(ExceptionGroup):
        await both()
    assert clock.elapsed() == 1


async def stopped(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story until it waits to be cancelled, and cancel it."""
    task = asyncio.ensure_future(story())
    for _ in range(100):  # turns of the loop, not time
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_event_stops_time_happens_and_waits_to_be_cancelled() -> None:
    happened: list[float] = []

    async def happen() -> None:
        happened.append(clock.now())

    clock = AttemptClock(START, events=(Event(START + 45, happen),))

    async def story() -> None:
        clock.enter()
        for _ in range(60):
            await clock.advance(2)

    await stopped(story)
    assert happened == [START + 45]
    assert clock.elapsed() == 45


async def test_an_event_ends_a_hang_that_nothing_else_would() -> None:
    event = Event(START + 45, nothing)
    clock = AttemptClock(START, events=(event,), limit=60)

    async def story() -> None:
        clock.enter()
        await clock.advance(inf)

    await stopped(story)
    assert event.begun
    assert clock.elapsed() == 45


async def test_an_event_after_the_deadline_does_not_happen() -> None:
    event = Event(START + 45, nothing)
    clock = entered(events=(event,))
    with pytest.raises(TimeoutError):
        async with clock.timeout(30):
            await clock.advance(inf)
    assert not event.begun


async def test_nothing_outlasts_the_limit_unnoticed() -> None:
    clock = entered(limit=30)
    await clock.advance(30)
    with pytest.raises(SimulationError, match="inf s more, after 30 s, would outlast the limit of 30 s"):
        await clock.advance(inf)
    assert len(clock.problems) == 1


async def test_the_clock_of_an_attempt_is_refused_elsewhere() -> None:
    with pytest.raises(SimulationError, match="outside"):
        AttemptClock(START).now()


async def test_calls_side_by_side_one_after_the_other_add_up() -> None:
    clock = entered()
    await asyncio.gather(clock.advance(10), clock.advance(3))
    await asyncio.gather(clock.advance(5), clock.advance(4))
    assert clock.elapsed() == 15


async def test_groups_of_tasks_one_after_the_other_add_up() -> None:
    clock = entered()
    for seconds in (10, 5, 7):
        async with asyncio.TaskGroup() as group:
            group.create_task(clock.advance(seconds), name="the longest")
            group.create_task(clock.advance(1))
    assert clock.elapsed() == 22


async def test_a_deadline_covers_all_that_was_started_one_after_the_other() -> None:
    clock = entered()

    async def work() -> None:
        async with clock.timeout(12):
            await asyncio.gather(clock.advance(10))
            await asyncio.gather(clock.advance(5))

    with pytest.raises(TimeoutError):
        await work()
    assert clock.elapsed() == 12


async def test_tasks_are_made_as_the_loop_makes_them_otherwise() -> None:
    made: list[str] = []

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> Any:
        made.append(work.__qualname__)
        return asyncio.Task(work, loop=loop, **more)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        entered()
        factories = {loop.get_task_factory()}
        clock = entered()
        factories.add(loop.get_task_factory())
        own: ContextVar[int] = ContextVar("own", default=0)
        context = copy_context()
        context.run(own.set, 7)

        async def look() -> int:
            return own.get()

        task = loop.create_task(look(), name="looking", context=context)
        assert (await task, task.get_name(), len(factories)) == (7, "looking", 1)
        await asyncio.gather(clock.advance(1))
        assert made[-1] == "AttemptClock.advance"
    finally:
        loop.set_task_factory(None)
