"""The server's timeouts and retries pass in virtual time, and reach the workflow as Temporal's own errors."""

from scenarios.virtual import Attempt
from tests.virtual.session import Session


def _seen(attempts: list[Attempt]) -> list[tuple[float, float | None, str, float | None]]:
    return [(each.began, each.ended, each.outcome, each.backoff) for each in attempts]


def test_heartbeats_beside_the_work(session: Session) -> None:
    told, story = session.one("beats_beside", 45, heartbeat_timeout=15)
    assert told == ["done", 45]
    assert story.attempts()[0].heartbeats == [10, 20, 30, 40]


def test_silence_ends_an_attempt_and_the_next_resumes(session: Session) -> None:
    told, story = session.one("falls_silent", heartbeat_timeout=30, attempts=2)
    assert told == ["resumed at page 7", 36]
    assert _seen(story.attempts()) == [(0, 35, "HEARTBEAT", 1), (36, 36, "completed", None)]


def test_silence_of_the_last_attempt_is_told_with_its_details(session: Session) -> None:
    told, _ = session.one("falls_silent", heartbeat_timeout=30)
    message, cause = "Activity task timed out", "activity Heartbeat timeout"
    assert told == [["TimeoutError", "HEARTBEAT", "MAXIMUM_ATTEMPTS_REACHED", message, cause, [7]], 35]


def test_start_to_close(session: Session) -> None:
    told, story = session.one("hangs", start_to_close_timeout=40, attempts=3)
    message, cause = "Activity task timed out", "activity StartToClose timeout"
    assert told == [["TimeoutError", "START_TO_CLOSE", "MAXIMUM_ATTEMPTS_REACHED", message, cause, []], 123]
    assert [each.began for each in story.attempts()] == [0, 41, 83]


def test_start_to_close_is_told_with_the_last_heartbeat(session: Session) -> None:
    told, _ = session.one("beats_then_hangs", start_to_close_timeout=40)
    assert told[0][1] == "START_TO_CLOSE"
    assert told[0][5] == ["page 3"]


def test_schedule_to_close_ends_an_attempt(session: Session) -> None:
    told, story = session.one("hangs", start_to_close_timeout=40, schedule_to_close_timeout=100, attempts=9)
    message = "Activity task timed out"
    cause = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
    assert told == [["TimeoutError", "SCHEDULE_TO_CLOSE", "TIMEOUT", message, cause, []], 100]
    assert [each.ended for each in story.attempts()] == [40, 81, 100]


def test_schedule_to_close_leaves_no_time_for_another_attempt(session: Session) -> None:
    told, story = session.one("fails", 99, 0.5, schedule_to_close_timeout=6, attempts=9)
    assert told == [["ApplicationError", "Nope", "TIMEOUT", "Activity task failed", "Nope: no", []], 4.5]
    assert [each.began for each in story.attempts()] == [0, 1.5, 4]


def test_backoffs(session: Session) -> None:
    told, story = session.one("fails", 4, 0.5, attempts=5)
    assert told == ["done", 17.5]
    assert [each.backoff for each in story.attempts()] == [1, 2, 4, 8, None]


def test_an_error_for_good_is_not_retried(session: Session) -> None:
    told, story = session.one("fails_for_good", attempts=5)
    assert told == [
        ["ApplicationError", "Final", "NON_RETRYABLE_FAILURE", "Activity task failed", "Final: never", ["why"]],
        0,
    ]
    assert len(story.attempts()) == 1


def test_local_activities(session: Session) -> None:
    assert session.one("sleeps", 20, local=True)[0] == ["slept", 20]
    told, story = session.one("fails", 3, 0.5, local=True, attempts=4)
    assert told == ["done", 9]
    assert [each.began for each in story.attempts()] == [0, 1.5, 4, 8.5]
    told, _ = session.one("hangs", local=True, start_to_close_timeout=40)
    message, cause = "Local Activity timed out", "Activity timed out"
    assert told == [["TimeoutError", "START_TO_CLOSE", "CANCEL_REQUESTED", message, cause, []], 40]
    told, _ = session.one("fails_for_good", local=True)
    assert told == [["ApplicationError", "Final"], 0]  # the SDK gives it to the workflow as it is
