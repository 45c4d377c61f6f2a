"""When the server is asked for what it lost: now and then in a standstill, and later while other stories go on."""

import asyncio

import psutil
import pytest

from scenarios.virtual import Story, VirtualLoop
from scenarios.virtual.errors import VirtualTimeError, WaitsForEverError
from scenarios.virtual.holds import Hold
from scenarios.virtual.waiting import LOST_S, NOTHING_S, Waits
from tests.virtual.session import Session
from tests.virtual.workflows import Approval


class Nobody:
    def waits_for(self, story: Story) -> bool:
        return not story.name

    def tell_fired(self, story: Story, workflow_id: str, hold: Hold, at: float) -> None:
        """No timer is set here."""


def asked_after(looks: int, *, other_goes_on: bool) -> list[str]:
    """Look at two stories so often, after `LOST_S` each time: one stands still."""
    asked: list[str] = []

    async def redeliver(story: Story) -> None:
        asked.append(story.name)

    async def nothing(_story: Story) -> bool:
        return False

    async def look() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        waits = Waits(1000, redeliver, nothing)
        still, other = Story("still", loop, Nobody()), Story("other", loop, Nobody())
        for passed in [0.0, *looks * [LOST_S]]:  # the first look sees but where they stand
            if other_goes_on:
                other.beat()
            await waits._look(other, passed)
            await waits._look(still, passed)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(look())
    return asked


def test_while_others_go_on_it_may_only_be_slow() -> None:
    assert asked_after(1, other_goes_on=True) == []
    assert asked_after(2, other_goes_on=True) == ["still"]


def test_it_is_asked_again_in_the_same_standstill_since_it_may_have_stood_still_itself() -> None:
    assert asked_after(5, other_goes_on=True) == ["still"] * 2
    assert asked_after(3, other_goes_on=False).count("still") == 3


def test_a_standstill_after_one_in_which_it_was_asked_begins_anew() -> None:
    asked: list[float] = []

    async def look() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        story, passed = Story("still", loop, Nobody()), 0.0

        async def redeliver(_story: Story) -> None:
            asked.append(passed)
            story.beat()

        async def nothing(_story: Story) -> bool:
            return False

        waits = Waits(1000, redeliver, nothing)
        for passed in (0.0, LOST_S, 0.0, LOST_S / 2, LOST_S):
            await waits._look(story, passed)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(look())
    assert asked == [LOST_S, LOST_S]  # and not after half of it


def test_when_all_stand_still_it_is_asked_sooner() -> None:
    assert asked_after(1, other_goes_on=False).count("still") == 1


def test_when_the_watch_itself_breaks_nobody_waits_for_ever() -> None:
    class Broken(Story):
        def waits_for(self) -> str | None:
            raise ZeroDivisionError("of its own")

    async def redeliver(_: Story) -> None:
        """Nothing is lost here."""

    async def nothing(_: Story) -> bool:
        return False

    async def waits() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        story = Broken("broken", loop, Nobody())
        await Waits(0.2, redeliver, nothing).watched("broken", story, loop.create_future(), lambda _: True)

    with (
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
        pytest.raises(VirtualTimeError, match="watches over waits broke: ZeroDivisionError: of its own"),
    ):
        runner.run(asyncio.wait_for(waits(), 30))


def test_a_server_that_is_too_busy_to_say_may_have_something_yet(session: Session) -> None:
    port = session.client.service_client.config.target_host.rpartition(":")[2]
    (server,) = [each for each in psutil.Process().children(recursive=True) if port in each.cmdline()]

    async def while_it_stands() -> None:
        handle = await session.client.start_workflow(Approval.run, args=[None], id="stands", task_queue="q")
        result = asyncio.create_task(handle.result())
        assert await handle.query(Approval.reminded) == []  # it has begun
        server.suspend()
        try:
            given_up, _ = await asyncio.wait([result], timeout=2 * NOTHING_S)
        finally:
            server.resume()
        assert not given_up
        with pytest.raises(WaitsForEverError):  # now it can say that there is nothing
            await result
        await handle.terminate()

    session.do(while_it_stands())
