"""An answer of a workflow releases what it had heard once the server has it, and never before."""

import time
from typing import Any, cast

import pytest

from scenarios.virtual import Story, VirtualLoop
from scenarios.virtual.answers import Asked
from scenarios.virtual.holds import Hold

TIMER = Hold("timer", "run", 1)


def pytest_asyncio_loop_factories() -> dict[str, type[VirtualLoop]]:
    return {"virtual": VirtualLoop}


def answered(late_at: float) -> tuple[Story, Any]:
    """A workflow has heard that its timer has fired, and its answer is on its way."""
    story = Story("a", cast("Any", None), cast("Any", None))
    story.hold(TIMER)
    story.processed("run", "a", [TIMER], [], Asked(None, "", late_at))
    return story, story.answers.sending("run")


async def test_one_in_time_releases() -> None:
    story, answer = answered(time.time() + 60)
    await story.replied(answer)
    assert story.holds == set()


async def test_a_late_one_that_is_refused_releases_nothing_until_its_task_is_told_again_as_done() -> None:
    story, answer = answered(time.time())
    story.evicted("run", refused=True)
    await story.replied(answer)
    assert story.holds == {TIMER}
    story.has_heard([TIMER])
    assert story.holds == set()


async def test_one_of_a_run_that_is_over_meanwhile_touches_nothing_of_the_next() -> None:
    story, answer = answered(time.time())
    story.processed("run", "a", [], [lambda story: story.is_closing("run", None)], Asked(None, "", time.time() + 60))
    story.evicted("run", refused=False)  # the server has taken its last word
    story.hold(TIMER)  # as that of another run
    await story.replied(answer)
    assert story.holds == {TIMER}


async def test_a_late_one_of_a_run_that_continues_was_taken_as_its_last_word_was() -> None:
    story = Story("a", cast("Any", None), cast("Any", None))
    signal = story.numbered("signal", "a")
    story.processed("run", "a", [signal], [], Asked(None, "", time.time()))
    answer = story.answers.sending("run")
    assert answer
    begin = Hold("begin", "a")
    last = Asked(None, "", time.time() + 60)
    story.processed("run", "a", [], [lambda story: story.is_closing("run", begin)], last)
    story.evicted("run", refused=False)
    assert story.holds == {begin}
    later = story.numbered("signal", "a")
    await story.replied(answer)
    assert story.holds == {begin, later}


@pytest.mark.parametrize("kind", ["signal", "cancel", "update"])
async def test_a_message_that_was_heard_before_releases_none_that_is_on_its_way(kind: str) -> None:
    story, _ = answered(time.time() + 60)
    on_its_way = story.numbered(kind, "a")
    story.has_heard([Hold(kind, "a", 0)])
    assert on_its_way in story.holds
