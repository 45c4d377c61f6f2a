"""Many stories at once have the course that one has alone; time that nobody waits for costs little."""

import asyncio
import time
from contextvars import Context
from typing import Any

import pytest

from scenarios.virtual import Story
from scenarios.virtual.story import current
from tests.virtual.session import Session
from tests.virtual.workflows import Chain, Continued, FirstWins, One, Parent, RetriesBeside

KINDS: list[tuple[Any, list[Any]]] = [
    (Chain.run, []),
    (FirstWins.run, [True]),
    (RetriesBeside.run, []),
    (Parent.run, []),
    (Continued.run, [1, 0.0]),
    (One.run, ["falls_silent", [], {"heartbeat_timeout": 30, "attempts": 2}]),
    (One.run, ["through_a_queue", [], {}]),
    (One.run, ["polls", [17], {}]),
]


def _course(story: Story) -> list[Any]:
    return sorted(
        (each.activity, each.number, each.began, each.ended, each.outcome, each.backoff, tuple(each.heartbeats))
        for each in story.attempts()
    )


@pytest.mark.parametrize("copies", [4, pytest.param(25, marks=pytest.mark.long("200 workflows at once"))])
def test_many_at_once_go_as_one_goes_alone(session: Session, copies: int) -> None:
    async def run(kind: tuple[Any, list[Any]]) -> tuple[Any, list[Any]]:
        workflow, args = kind
        result, story = await session.tell(workflow, *args)
        return result, _course(story)

    async def all_of_them() -> tuple[list[Any], list[Any]]:
        alone = [await run(kind) for kind in KINDS]
        return alone, await asyncio.gather(*(run(kind) for _ in range(copies) for kind in KINDS))

    alone, together = session.do(all_of_them())
    assert together == alone * copies


def test_a_library_that_keeps_house_does_so_in_real_time_once_its_story_is_over(session: Session) -> None:
    fired = 0

    def keep_house() -> None:
        nonlocal fired
        fired += 1
        asyncio.get_running_loop().call_later(15, keep_house)

    async def kept() -> list[int]:
        _, story = await session.tell(One.run, "through_a_queue", [], {})
        inside = Context()
        inside.run(current.set, story)
        inside.run(asyncio.get_running_loop().call_later, 15, keep_house)  # as a pool does that a story uses first
        session.virtual.forget(story.name)
        seen = []
        for _ in range(20):
            await asyncio.sleep(0)
            seen.append(fired)
        return seen

    assert session.do(kept())[-5:] == [1] * 5  # once it was the story's, then it is nobody's


def test_an_hour_of_ticks_takes_seconds(session: Session) -> None:
    began = time.perf_counter()
    told, story = session.one("ticks", 3600, heartbeat_timeout=5, start_to_close_timeout=4000)
    wall = time.perf_counter() - began
    assert told == [None, 3600]
    assert len(story.attempts()[0].heartbeats) == 3600
    assert wall < 30  # a second or less on an idle machine
