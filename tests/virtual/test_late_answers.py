"""A workflow's answer that comes too late is refused by the server: no time passes by what it had heard."""

import asyncio
from typing import Any

import pytest

from scenarios.virtual.internals import around_answers
from tests.virtual.session import Session
from tests.virtual.workflows import Parent

TOO_LATE_S = 11
"""Real seconds: the server waits for ten."""

pytestmark = pytest.mark.long("the server waits ten real seconds for an answer")


@pytest.mark.parametrize("at", [20, 25, 50])
def test_an_answer_that_is_refused_moves_no_time(session: Session, at: float) -> None:
    delayed: list[float] = []

    async def around(completion: Any, complete: Any) -> None:
        story = session.virtual._stories.of_run(completion.run_id)
        if story and story.now >= at and not delayed:
            delayed.append(story.now)
            await asyncio.sleep(TOO_LATE_S)
        await complete(completion)

    around_answers(session.worker, around)
    told, _ = session.run(Parent.run)
    assert delayed == [at]
    assert told == [["slept", 20], 20, 25, 50]
