import asyncio
from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from app.attempts import heartbeat
from app.attempts.attempt import Attempt
from app.attempts.heartbeat import heartbeats
from app.pipeline.models import Ticket
from app.pipeline.policies import MASK


async def test_an_attempt_whose_heart_does_not_beat_is_not_begun() -> None:
    """It would lose the ticket of its job, and the next attempt would have the GPU work once more."""

    async def silent() -> Attempt:
        return Attempt.begin(MASK)

    with pytest.raises(RuntimeError, match="heartbeats"):
        await ActivityEnvironment().run(silent)


async def test_an_attempt_has_the_ticket_that_the_one_before_left() -> None:
    async def beating() -> tuple[Ticket | None, int]:
        async with heartbeats():
            heart = Attempt.begin(MASK).heart
            return heart.ticket, heart.number

    ticket = Ticket(job_id="j", submitted_at=1.0)
    for details, left in (
        ([], (None, 1)),
        ([ticket.model_dump(), 2], (ticket, 2)),
        ([None, 3], (None, 3)),
        ([ticket.model_dump()], (ticket, 1)),  # a worker of 0.1 left it
        ([None], (None, 1)),
    ):
        environment = ActivityEnvironment()
        environment.info = replace(environment.default_info(), heartbeat_details=details)
        assert await environment.run(beating) == left


async def test_an_attempt_whose_heart_stops_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would take its worker for dead, and have the work done once more beside it."""
    monkeypatch.setattr(heartbeat, "HEARTBEAT_INTERVAL", 0.0)

    async def working() -> None:
        async with heartbeats():
            await asyncio.Event().wait()

    def broken(*_details: object) -> None:
        raise OSError("no heartbeat can be sent")

    environment = ActivityEnvironment()
    environment.on_heartbeat = broken
    async with asyncio.timeout(5):
        with pytest.raises(OSError, match="no heartbeat can be sent"):
            await environment.run(working)
