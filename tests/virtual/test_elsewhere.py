"""Activities that somebody else completes: their timeouts and their retries are virtual all the same."""

import uuid
from typing import Any

from temporalio.client import AsyncActivityHandle

from tests.virtual.session import Session
from tests.virtual.workflows import One


def _tell(session: Session, at: float | None, act: Any, **options: Any) -> tuple[Any, list[Any]]:
    async def story() -> tuple[Any, list[Any]]:
        name = f"elsewhere-{uuid.uuid4()}"
        handle = session.client.get_async_activity_handle(workflow_id=name, run_id=None, activity_id="1")
        if at is not None:
            session.virtual.at(name, at, lambda: act(handle))
        run = await session.client.start_workflow(
            One.run, args=["completes_elsewhere", [], options], id=name, task_queue="q"
        )
        result = await run.result()
        await session.replay(run)
        attempts = session.virtual.story(name).attempts()
        return result, [(each.began, each.ended, each.outcome) for each in attempts]

    return session.do(story())  # type: ignore[no-any-return]


def test_it_is_completed_at_an_instant(session: Session) -> None:
    async def complete(handle: AsyncActivityHandle) -> None:
        await handle.complete("by somebody")

    assert _tell(session, 30, complete) == (["by somebody", 30], [(0, 30, "completed")])


def test_nobody_completes_it(session: Session) -> None:
    result, attempts = _tell(session, None, None, start_to_close_timeout=40, attempts=2)
    assert (result[0][1], result[1]) == ("START_TO_CLOSE", 81)
    assert attempts == [(0, 40, "START_TO_CLOSE"), (41, 81, "START_TO_CLOSE")]


def test_it_fails_and_is_tried_again(session: Session) -> None:
    async def fail(handle: AsyncActivityHandle) -> None:
        await handle.fail(LookupError("no"))

    result, attempts = _tell(session, 10, fail, start_to_close_timeout=20, attempts=2)
    assert (result[0][1], result[1]) == ("START_TO_CLOSE", 31)
    assert attempts == [(0, 10, "LookupError"), (11, 31, "START_TO_CLOSE")]
