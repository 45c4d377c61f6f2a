"""A lock that stories share: who waits while another story holds it lets no time pass, whoever was there before."""

import asyncio
import threading
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any

import pytest

from scenarios.virtual import Story, story_alone


def a_story() -> tuple[Story, Context]:
    with story_alone() as story:
        return story, copy_context()


def begin(work: Coroutine[Any, Any, Any], inside: Context) -> "asyncio.Task[Any]":
    return asyncio.get_running_loop().create_task(work, context=inside)


async def real_work(lock: asyncio.Lock) -> None:
    async with lock:
        await asyncio.to_thread(threading.Event().wait, 0.02)


async def taken_at(lock: asyncio.Lock, story: Story) -> float:
    async with lock:
        return story.now


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("inside_for", [0, 5])
async def test_one_that_waits_behind_another_story_and_its_own(inside_for: int) -> None:
    (own, here), (_, there), lock = a_story(), a_story(), asyncio.Lock()

    async def first() -> None:
        async with lock:
            await turns()
            await asyncio.sleep(inside_for)
        await asyncio.sleep(7)

    tasks = [begin(first(), here), begin(real_work(lock), there), begin(taken_at(lock, own), here)]
    assert await asyncio.gather(*tasks) == [None, None, inside_for]
    assert own.now == 7 + inside_for


async def test_one_that_comes_as_the_lock_goes_from_hand_to_hand() -> None:
    (_, first), (_, second), (late, third) = a_story(), a_story(), a_story()
    lock, passed_on = asyncio.Lock(), asyncio.Event()

    async def passes_it_on() -> None:
        async with lock:
            await turns()
            passed_on.set()

    async def comes_late() -> float:
        await passed_on.wait()
        assert not lock.locked()
        sleeping = asyncio.create_task(asyncio.sleep(7))
        taken = await taken_at(lock, late)
        await sleeping
        return taken

    tasks = [begin(passes_it_on(), first), begin(real_work(lock), second), begin(comes_late(), third)]
    assert (await asyncio.gather(*tasks))[2] == 0
    assert late.now == 7


async def test_one_who_gives_up_waits_for_nothing_any_more() -> None:
    (_, there), (own, here), lock = a_story(), a_story(), asyncio.Lock()
    holding, waiting = begin(real_work(lock), there), begin(taken_at(lock, own), here)
    await turns()
    assert own.waits_for() == "a lock that another story holds"
    waiting.cancel()
    await asyncio.wait([waiting])
    assert own.waits_for() is None
    await holding
    assert await begin(taken_at(lock, own), here) == 0


async def test_nobody_lets_time_pass_for_a_lock_that_no_story_holds() -> None:
    (own, here), lock = a_story(), asyncio.Lock()
    holding = asyncio.create_task(real_work(lock))
    await turns()
    assert (await asyncio.gather(begin(taken_at(lock, own), here), begin(asyncio.sleep(7), here)))[0] == 0
    await holding
