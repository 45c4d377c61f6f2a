"""Many stories at once have the course that one has alone; time that nobody waits for costs little."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def burning(processes: int) -> Iterator[None]:
    """Keep cores busy meanwhile."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


@pytest.mark.long("96 workflows at once, six times, half of them under load")
def test_many_at_once_go_as_one_goes_alone() -> None:
    copies, rounds = 12, 6
    with Session() as session:  # what is left over here, where it fails, would keep others busy

        async def run(kind: tuple[Any, list[Any]]) -> tuple[int, tuple[Any, list[Any]]]:
            workflow, args = kind
            result, story = await session.tell(workflow, *args)
            session.virtual.forget(story.name)
            return story.given_twice, (result, _course(story))

        async def together(copies: int) -> list[tuple[int, tuple[Any, list[Any]]]]:
            return list(await asyncio.gather(*(run(kind) for _ in range(copies) for kind in KINDS)))

        one = [session.do(run(kind)) for kind in KINDS]
        starved = 0
        for number in range(rounds):
            with burning(2 * (number % 2)):
                told = session.do(together(copies))
            for seen, alone in zip(told, one * copies, strict=True):
                assert seen == alone or seen[0]
                starved += seen[0] > 0
        assert starved <= 0.01 * copies * rounds * len(KINDS)


def test_a_pool_that_stories_share_does_not_compare_their_clocks(session: Session) -> None:
    async def together() -> list[Any]:
        stories = (session.tell(One.run, "calls_again_and_again", [later], {}) for later in (0, 60, 120, 300) * 3)
        return [result for result, _ in await asyncio.gather(*stories)]

    assert session.do(together()) == [[30, later] for later in (0, 60, 120, 300) * 3]


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
