import asyncio
from contextlib import AsyncExitStack

import pytest

from app.errors.request import GatewayBusyError
from app.gateway.admission.slots import Slots

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def taken(slots: Slots, caller: str) -> AsyncExitStack:
    stack = AsyncExitStack()
    await stack.enter_async_context(slots.hold(caller, 0))
    return stack


async def test_a_caller_has_at_most_its_share_and_others_get_in() -> None:
    slots = Slots(4, 0.5, "busy")
    mine = [await taken(slots, "a") for _ in range(2)]
    with pytest.raises(GatewayBusyError, match="busy") as refused:
        await taken(slots, "a")
    assert refused.value.retry_after == 5
    theirs = [await taken(slots, "b"), await taken(slots, "c")]
    with pytest.raises(GatewayBusyError):
        await taken(slots, "d")
    for one in (*mine, *theirs):
        await one.aclose()
    assert slots.held == 0
    assert not slots._held  # callers that are gone are forgotten
    await (await taken(slots, "d")).aclose()


@pytest.mark.parametrize(("total", "share", "each"), [(1, 0.5, 1), (3, 0.5, 1), (6, 0.5, 3), (6, 1, 6), (4, 0.1, 1)])
async def test_a_share_is_at_least_one_slot(total: int, share: float, each: int) -> None:
    slots = Slots(total, share, "busy")
    async with AsyncExitStack() as closing:
        for _ in range(each):
            await closing.enter_async_context(slots.hold("a", 0))
        with pytest.raises(GatewayBusyError):
            await taken(slots, "a")


async def test_a_freed_slot_goes_to_the_first_who_may_have_it() -> None:
    slots = Slots(2, 0.5, "busy")
    first, other = await taken(slots, "a"), await taken(slots, "b")
    order: list[str] = []

    async def come(caller: str) -> None:
        async with slots.hold(caller, 5):
            order.append(caller)

    waiting = [asyncio.create_task(come(caller)) for caller in ("a", "c", "b")]
    await asyncio.sleep(0)
    await other.aclose()  # not for `a`, who came first and has its share
    await asyncio.wait([waiting[1]])
    assert order[0] == "c"
    await first.aclose()
    await asyncio.gather(*waiting)
    assert sorted(order) == ["a", "b", "c"]
    assert slots.held == 0


async def test_who_gives_up_takes_no_slot_along() -> None:
    slots = Slots(1, 1, "busy")
    holder = await taken(slots, "a")

    async def come() -> None:
        async with slots.hold("b", 5):
            pass

    waiting = [asyncio.create_task(come()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await holder.aclose()  # the slot is `waiting[0]`'s or `waiting[1]`'s by now
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert not waiting[2].cancelled()
    assert slots.held == 0
