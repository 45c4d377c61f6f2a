"""A worker leaves a story: it drains or dies, and what would begin waits for the next one. What is planned for 0 s."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.virtual.session import Plan, Session


def _left(session: Session, at: float, back_at: float, drain: float | None) -> list[Plan]:
    async def plan(handle: WorkflowHandle[Any, Any]) -> None:
        session.virtual.worker_leaves(handle.id, at, back_at, drain)

    return [(0, plan)]


def test_what_ends_while_a_worker_drains_ends_as_ever(session: Session) -> None:
    told, story = session.one("sleeps", 20, plan=_left(session, 5, 300, 15.5))
    assert told == ["slept", 20]
    assert [(each.ended, each.outcome) for each in story.attempts()] == [(20, "completed")]


def test_what_does_not_end_in_the_drain_is_cut_off_and_tried_again_when_a_worker_is_there(session: Session) -> None:
    told, story = session.one("sleeps", 20, plan=_left(session, 5, 60, 10), attempts=2)
    assert told == ["slept", 80]
    assert [(each.began, each.ended, each.outcome) for each in story.attempts()] == [
        (0, 15, "WorkerShutdown"),
        (60, 80, "completed"),
    ]


def test_a_last_attempt_that_is_cut_off_tells_the_workflow_so(session: Session) -> None:
    told, _ = session.one("sleeps", 20, plan=_left(session, 5, 60, 10))
    assert told[0][:3] == ["ApplicationError", "WorkerShutdown", "MAXIMUM_ATTEMPTS_REACHED"]
    assert told[1] == 15


def test_a_worker_that_dies_is_missed_for_want_of_heartbeats(session: Session) -> None:
    plan = _left(session, 25, 26, None)
    told, story = session.one("beats_beside", 45, plan=plan, heartbeat_timeout=15, attempts=2)
    assert [(each.began, each.ended, each.outcome) for each in story.attempts()] == [
        (0, 37, "HEARTBEAT"),  # the last one that was sent was that of 20 s, at 22
        (38, 83, "completed"),
    ]
    assert told == ["done", 83]


def test_without_heartbeats_it_is_missed_when_the_attempt_s_time_is_over(session: Session) -> None:
    plan = _left(session, 5, 6, None)
    _, story = session.one("sleeps", 20, plan=plan, start_to_close_timeout=40, attempts=2)
    assert [(each.began, each.ended) for each in story.attempts()] == [(0, 40), (41, 61)]


def test_a_retry_waits_for_the_next_worker_and_no_longer(session: Session) -> None:
    _, story = session.one("fails", 3, 0.5, plan=_left(session, 1, 9, 0), attempts=5)
    assert [each.began for each in story.attempts()] == [0, 9, 11.5, 16]


def test_what_is_planned_for_the_beginning_does_not_overtake_the_start(session: Session) -> None:
    described: list[str] = []

    async def look(handle: WorkflowHandle[Any, Any]) -> None:
        described.append((await handle.describe()).id)

    names = [session.one("sleeps", 1, plan=[(0, look)])[1].name for _ in range(10)]
    assert described == names
