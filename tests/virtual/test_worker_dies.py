"""A worker that dies takes the waits for its workflows with it: they end at once, and say why."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from scenarios.virtual import VirtualTimeError
from scenarios.virtual.loop import in_real_time
from tests.virtual.session import PATIENCE_S, Session
from tests.virtual.workflows import Chain


async def dies(*_: Any) -> None:
    raise RuntimeError("the core has had enough")


@pytest.mark.long("what waits for a worker that died gives up some seconds later")
def test_waits_end_with_the_worker_and_say_why() -> None:
    with Session() as session:
        session.run(Chain.run)
        core: Any = session.worker._bridge_worker
        core.poll_activity_task = dies
        began = time.monotonic()
        for _ in range(2):  # one that the worker has, or may have begun, and one that it cannot know
            with pytest.raises(VirtualTimeError, match="its worker has died: RuntimeError: the core has had enough"):
                session.run(Chain.run)
        assert time.monotonic() - began < PATIENCE_S


@pytest.mark.filterwarnings("error:Cannot find activity to cancel")
def test_no_worker_dies_of_a_cancellation_that_comes_too_late() -> None:
    """It crosses with the answer of an attempt, whose last heartbeat asked for it. The SDK warns of it."""

    async def cancel(handle: Any) -> None:
        await handle.cancel()

    with Session(default_heartbeat_throttle_interval=timedelta(seconds=1)) as session:
        core: Any = session.worker._bridge_worker
        attempts: Any = session.worker._activity_worker
        poll, complete, comes = core.poll_activity_task, core.complete_activity_task, asyncio.Event()

        async def come_late() -> Any:
            task = await poll()
            if task.HasField("cancel"):
                comes.set()
                while task.task_token in attempts._running_activities:
                    await in_real_time(asyncio.sleep(0.001))
            return task

        async def answer_late(answer: Any) -> None:
            await comes.wait()
            await complete(answer)

        core.poll_activity_task, core.complete_activity_task = come_late, answer_late
        for _ in range(2):
            told, _ = session.one("step", [1, 2], 0, True, plan=[(1.5, cancel)], wait=True)
            assert told == [None, 3]
        assert comes.is_set()
