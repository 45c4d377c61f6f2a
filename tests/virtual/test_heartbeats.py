"""Heartbeats as the SDK sends them: one at once, further ones when they may be, the newest before a failure."""

from datetime import timedelta
from typing import Any

import pytest

from scenarios.virtual import Attempt
from tests.virtual.activities import THREADS
from tests.virtual.session import Session
from tests.virtual.workflows import Outlives, WaitsTooLong


async def cancel(handle: Any) -> None:
    await handle.cancel()


def _times(attempts: list[Attempt]) -> list[tuple[float, float | None, str]]:
    return [(each.began, each.ended, each.outcome) for each in attempts]


def test_silence_counts_from_the_last_one_that_was_sent(session: Session) -> None:
    """Beats at 1.5, 3, 4.5 and 6: at 1.5 one is sent, and 4 s later, and 8 s later."""
    told, story = session.one("counts", 6, "hangs", heartbeat_timeout=5, attempts=2)
    assert _times(story.attempts()) == [(0, 14.5, "HEARTBEAT"), (15.5, 15.5, "completed")]
    assert story.attempts()[0].heartbeats == [1.5, 3, 4.5, 6]
    assert told == [[6], 15.5]


def test_what_is_kept_back_is_told_before_a_failure(session: Session) -> None:
    told, _ = session.one("counts", 4.5, "fails", heartbeat_timeout=10, attempts=2)
    assert told == [[4.5], 5.5]


def test_what_is_kept_back_when_the_server_gives_an_attempt_up_is_not_known_to_the_next_one(session: Session) -> None:
    told, _ = session.one("counts", 3, "hangs", heartbeat_timeout=10, start_to_close_timeout=4, attempts=2)
    assert told == [[1.5], 5]


@pytest.mark.parametrize(
    ("drain", "known"), [(None, 1.5), (0, 3.0)], ids=["lost with a worker that dies", "told by one that drains"]
)
def test_what_is_kept_back_when_its_worker_leaves(session: Session, drain: float | None, known: float) -> None:
    async def leaves(handle: Any) -> None:
        session.virtual.worker_leaves(handle.id, at=4, back_at=40, drain=drain)

    told, _ = session.one("counts", 9, "hangs", plan=[(1, leaves)], heartbeat_timeout=10, attempts=2)
    assert told == [[known], 40]


@pytest.mark.parametrize(
    ("limits", "heard"),
    [({"heartbeat_timeout": 10}, 9.5), ({}, 31.5), ({"heartbeat_timeout": 600}, 61.5)],
    ids=["after four fifths of the timeout", "after half a minute without one", "after a minute at most"],
)
def test_a_cancellation_is_heard_with_one_that_is_sent(session: Session, limits: dict[str, Any], heard: float) -> None:
    _, story = session.one("counts", 600, "hangs", plan=[(4, cancel)], wait=True, **limits)
    assert _times(story.attempts()) == [(0, heard, "cancelled")]


@pytest.mark.parametrize("limit", ["start_to_close_timeout", "schedule_to_close_timeout", "heartbeat_timeout"])
def test_code_that_tells_nothing_is_ended_five_seconds_after_its_attempt(session: Session, limit: str) -> None:
    told, _ = session.run(Outlives.run, "outlives", [0.4, False], {limit: 8})
    assert told == [13, True, True, True]


def test_code_that_tells_something_hears_with_it_that_its_attempt_is_over(session: Session) -> None:
    """It beats at 0.4, and one is sent each 2.4 s: the timeout of 5 s is one of 3, as the attempt's."""
    limits = {"start_to_close_timeout": 3, "heartbeat_timeout": 5}
    told, _ = session.run(Outlives.run, "outlives", [0.4, True], limits)
    assert told == [5.2, True, False, True]


def test_a_thread_hears_of_it_too(session: Session) -> None:
    told, _ = session.run(Outlives.run, "outlives_in_a_thread", [], {"start_to_close_timeout": 8})
    assert 13 <= told[0] <= 14
    assert told[1:] == [True, True, True]


def test_a_local_one_is_ended_with_its_attempt(session: Session) -> None:
    told, _ = session.run(Outlives.run, "outlives", [0.4, True], {"start_to_close_timeout": 8, "local": True})
    assert told == [8, False, True, True]


def test_what_ends_code_is_its_own_attempt_s_time_and_not_the_activity_s(session: Session) -> None:
    """The second attempt begins at 9, and the activity's time is over at 12: its code may go on until 22."""
    limits = {"start_to_close_timeout": 8, "schedule_to_close_timeout": 12, "attempts": 2}
    told, _ = session.run(Outlives.run, "outlives", [0.4, False], limits)
    assert told == [13, True, True, True]


def test_no_timeout_is_longer_than_that_around_it(session: Session) -> None:
    """A minute's heartbeat timeout in an attempt of ten seconds: one in eight seconds is sent."""
    limits = {"heartbeat_timeout": 60, "start_to_close_timeout": 10, "wait": True}
    _, story = session.one("counts", 600, "hangs", plan=[(4, cancel)], **limits)
    assert _times(story.attempts()) == [(0, 9.5, "cancelled")]


@pytest.mark.parametrize("beating", [False, True])
def test_code_is_cancelled_once(session: Session, beating: bool) -> None:
    """When it hears that its attempt is over it cleans up, and hears no more, whatever it tells meanwhile."""
    limits = {"start_to_close_timeout": 3, "heartbeat_timeout": 2.9}
    told, _ = session.run(Outlives.run, "cleans_up_slowly", [beating], limits)
    assert told == [[3.3 if beating else 7.9, False, not beating]]


def test_code_that_was_cancelled_hears_nothing_of_its_attempt_s_end(session: Session) -> None:
    limits = {"start_to_close_timeout": 8, "heartbeat_timeout": 2.5}
    told, _ = session.run(Outlives.run, "cleans_up_slowly", [True], limits, plan=[(3.5, cancel)])
    assert told == [[5, True, False]]


def test_a_thread_that_was_cancelled_hears_nothing_of_its_attempt_s_end(session: Session) -> None:
    limits = {"start_to_close_timeout": 8, "heartbeat_timeout": 2.5}
    told, _ = session.run(Outlives.run, "cleans_up_in_a_thread", [], limits, plan=[(3.5, cancel)])
    assert told == [[True, False]]


def test_a_cancellation_in_the_backoff_comes_at_once_although_code_was_ended_before(session: Session) -> None:
    limits = {"start_to_close_timeout": 8, "attempts": 9, "wait": True, "backoff": 60}
    _, story = session.one("outlives", 0.4, False, plan=[(20, cancel)], **limits)
    [attempt] = story.attempts()
    assert (attempt.ended, story.now) == (8, 20)


def test_a_cancellation_in_the_backoff_of_a_thread_comes_at_once(session: Session) -> None:
    _, story = session.one("fails_in_a_thread", attempts=9, plan=[(10, cancel)], wait=True)
    assert [each.began for each in story.attempts()] == [0, 1, 3, 7]
    assert story.now == 10


def test_a_thread_ends_with_its_story(session: Session) -> None:
    told, story = session.one("stays_in_a_thread", start_to_close_timeout=8)
    assert told[0][1] == "START_TO_CLOSE"
    assert THREADS[story.name].wait(20)


def test_code_that_outlives_its_attempt_keeps_its_place() -> None:
    with Session(max_concurrent_activities=1) as session:
        _, story = session.one("outlives", 0.4, False, start_to_close_timeout=8, attempts=2)
    assert [each.began for each in story.attempts()] == [0, 13]


def test_no_throttle_at_all() -> None:
    with Session(max_heartbeat_throttle_interval=timedelta(0)) as session:
        _, story = session.one("counts", 600, "hangs", plan=[(4, cancel)], wait=True)
    assert _times(story.attempts()) == [(0, 4.5, "cancelled")]


def test_a_place_that_somebody_waited_for_too_long_is_there_for_others() -> None:
    with Session(max_concurrent_activities=1) as session:
        told, _ = session.run(WaitsTooLong.run)
    assert told == ["SCHEDULE_TO_START", "slept", 13]
