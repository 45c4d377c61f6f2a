"""Inside an attempt: what asyncio and its libraries wait for is virtual, in the right order, to the instant."""

from typing import Any

import pytest

from tests.virtual.session import Session

STORIES: list[tuple[str, list[Any], Any, float]] = [
    ("sleeps", [120], "slept", 120),
    ("polls", [37], 19, 38),
    ("through_a_semaphore", [], [10, 20, 30], 30),
    ("behind_a_lock", [], ["first", "second", "last"], 16),
    ("races", [], "fast", 12),
    ("gives_up", [], "TimeoutError", 5),
    ("two_timeouts", [30, 20], "TimeoutError", 20),
    ("two_timeouts", [20, 30], "ReadTimeout", 20),
    ("hedges", [], ["the first ends", "ReadTimeout", "the second wins"], 30),
    ("through_a_queue", [], [1, 4, 7, 10, 13], 16),
    ("with_anyio", [], "TimeoutError", 15),
    ("with_tenacity", [], 6, 31),
    ("sleeps_in_a_thread", [90], 90, 90),
    ("works_in_a_thread", [], 0, 0),
    ("runs_a_process", [], [0, 0], 0),
]


@pytest.mark.parametrize(("name", "args", "result", "seconds"), STORIES)
def test_an_attempt_takes_the_time_that_it_would(
    session: Session, name: str, args: list[Any], result: Any, seconds: float
) -> None:
    told, story = session.one(name, *args)
    assert told == [result, seconds]
    assert [(each.began, each.ended, each.outcome) for each in story.attempts(name)] == [(0, seconds, "completed")]


def test_a_job_that_is_never_done_fails_after_its_polls(session: Session) -> None:
    told, _ = session.one("polls", 1e9)
    assert told[0][:3] == ["ApplicationError", "JobTimeout", "MAXIMUM_ATTEMPTS_REACHED"]
    assert told[1] == 120


def test_real_io_that_nobody_wraps_takes_no_time(session: Session) -> None:
    told, _ = session.one("reads_streams")
    assert told[0] > 200_000
    assert told[1] == 10
    told, _ = session.one("calls_plainly")
    assert told[0][3] == 5_000_000
    assert min(told[0]) > 200_000
    assert told[1] == 30
    told, _ = session.one("calls_with_aiohttp")
    assert min(told[0]) > 200_000
    assert told[1] == 30
