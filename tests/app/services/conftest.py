"""An attempt to call services with: a real activity context, and a clock that never waits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.attempts.heartbeat import Heart
from app.pipeline.models import Ticket
from app.services.http import http_client
from scenarios.world.virtual_clock import AttemptClock, SimulatedClock

ReturnT = TypeVar("ReturnT")
START = 1_000_000.0


class Bench:
    """Runs a piece of work as one attempt and keeps what it sent as heartbeats."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.elapsed = 0.0
        self.heartbeats: list[tuple[Ticket | None, int]] = []

    async def run(
        self,
        work: Callable[[Attempt], Awaitable[ReturnT]],
        *,
        ticket: Ticket | None = None,
        number: int = 1,
        deadline: float = 127,
    ) -> ReturnT:
        environment = ActivityEnvironment()
        environment.on_heartbeat = lambda *details: self.heartbeats.append(details)

        async def attempt() -> ReturnT:
            line = AttemptClock(START)
            line.enter()
            limit, end = Deadline(self.clock, deadline), Deadline(self.clock, deadline + 10)
            try:
                return await work(Attempt("w-1", "remove_background", 2, limit, end, Heart(ticket, number)))
            finally:
                self.elapsed = line.elapsed()

        return await environment.run(attempt)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client
