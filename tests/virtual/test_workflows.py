"""A workflow's activities, timers, children and continued runs share one clock."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from tests.virtual.session import Session
from tests.virtual.workflows import (
    Abandons,
    Chain,
    Continued,
    FailsAlthough,
    FanOut,
    FirstWins,
    Locals,
    One,
    Parent,
    RetriesBeside,
    TimerBeside,
)


async def cancel(handle: WorkflowHandle[Any, Any]) -> None:
    await handle.cancel()


def test_a_loser_is_cancelled_with_its_next_heartbeat(session: Session) -> None:
    result, story = session.run(FirstWins.run, True)
    assert result == ["CancelledError", 10, 27]  # its second heartbeat is sent at 25, and 2 s of cleaning up
    assert [(each.ended, each.outcome) for each in story.attempts()] == [(10, "completed"), (27, "cancelled")]


def test_who_does_not_wait_for_a_cancellation_goes_on_at_once(session: Session) -> None:
    result, _ = session.run(FirstWins.run, False)
    assert result == ["CancelledError", 10, 10]


def test_what_follows_an_end_begins_before_time_goes_on(session: Session) -> None:
    result, story = session.run(Chain.run)
    assert result == [10, 15, 22, 100]
    assert [(each.began, each.ended) for each in story.attempts()] in (
        [(0, 100), (0, 10), (10, 15)],
        [(0, 10), (0, 100), (10, 15)],
    )


@pytest.mark.parametrize(
    ("how", "outcome", "seconds"),
    [
        ("too late", ("ActivityError", "TimeoutError"), 30),
        ("in time", ("slept",), 20),
        ("condition", ("TimeoutError",), 33),
        ("days", ("slept",), 3 + 3600 + 4 + 30 * 86400),
    ],
)
def test_a_timer_beside_an_activity(session: Session, how: str, outcome: tuple[str, ...], seconds: float) -> None:
    result, _ = session.run(TimerBeside.run, how)
    assert result[0] in outcome
    assert result[1] == seconds


def test_retries_beside_a_long_activity(session: Session) -> None:
    assert session.run(RetriesBeside.run)[0] == [9, 100]


def test_local_activities_side_by_side(session: Session) -> None:
    assert session.run(Locals.run)[0] == [7, 20, 30]


def test_a_child_lives_in_its_parents_story(session: Session) -> None:
    result, story = session.run(Parent.run)
    assert result == [["slept", 20], 20, 25, 50]
    assert {each.workflow_id.rpartition("/")[2] for each in story.attempts()} > {"child"}


def test_continued_runs_live_in_one_story(session: Session) -> None:
    result, story = session.run(Continued.run, 2, 0.0)
    assert result == 300
    assert [each.began for each in story.attempts()] == [0, 100, 200]


def test_more_attempts_than_slots_queue(session: Session) -> None:
    assert session.run(FanOut.run, "sleeps", [10], 150)[0] == 20  # the SDK's own number is 100


def test_more_threads_than_the_executor_has_queue(session: Session) -> None:
    assert session.run(FanOut.run, "sleeps_in_a_thread", [9], 11)[0] == 27  # of 5


def test_stories_do_not_wait_for_each_others_semaphores_and_locks(session: Session) -> None:
    async def side_by_side() -> list[float]:
        runs = (session.tell(FanOut.run, "shares", [7], 4) for _ in range(6))
        return [result for result, _ in await asyncio.gather(*runs)]

    # Two at a time of four, in each story by itself; what the lock protects takes real time, and none of the stories'.
    assert session.do(side_by_side()) == [14] * 6


def test_a_cancellation_comes_with_the_next_heartbeat(session: Session) -> None:
    _, story = session.one("beats", 100, heartbeat_timeout=30, wait=True, plan=[(45.5, cancel)])
    # Those of 1, 25 and 49 s are sent; and 2 s of cleaning up.
    assert [(each.ended, each.outcome) for each in story.attempts()] == [(51, "cancelled")]


def test_a_cancellation_in_a_backoff_comes_at_once(session: Session) -> None:
    _, story = session.one("fails", 99, 0.5, attempts=9, plan=[(10, cancel)])
    assert [each.began for each in story.attempts()] == [0, 1.5, 4, 8.5]
    assert story.now == 10


@pytest.mark.parametrize(
    ("name", "args", "after", "at"),
    [("fails", [99, 3], 1, 3), ("breaks_when_cancelled", [], 3, 12)],  # 12: the heartbeat at 10, and 2 s of cleaning up
)
def test_what_is_to_be_cancelled_and_fails_is_not_tried_again(
    session: Session, name: str, args: list[Any], after: float, at: float
) -> None:
    result, story = session.run(FailsAlthough.run, name, args, after)
    assert result == [["ApplicationError", "Nope", "CANCEL_REQUESTED", "Activity task failed", result[0][4], []], at]
    assert [(each.ended, each.outcome) for each in story.attempts()] == [(at, "Nope")]


def test_what_is_abandoned_goes_on_as_if_nobody_had_asked(session: Session) -> None:
    result, story = session.run(Abandons.run)
    assert result == ["CancelledError", 1, 61]
    assert [(each.began, each.outcome) for each in story.attempts()] == [(0, "Nope"), (4, "Nope"), (9, "completed")]


MANY = 100
"""Of a hundred some are cancelled just while their attempt is on its way to the worker."""


@pytest.mark.long("a hundred stories")
def test_a_cancellation_may_meet_an_attempt_on_its_way(session: Session) -> None:
    async def side_by_side() -> list[float]:
        told = (
            session.tell(One.run, "fails", [99, 0], {"attempts": 9, "wait": True}, plan=[(0, cancel)])
            for _ in range(MANY)
        )
        return [story.now for _, story in await asyncio.gather(*told)]

    assert Counter(session.do(side_by_side())) == {0: MANY}
