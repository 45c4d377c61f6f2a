"""An attempt to call services with: a real activity context, in virtual time."""

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
from scenarios.virtual import Story, VirtualLoop, story_alone

ReturnT = TypeVar("ReturnT")
START = 1_000_000.0


class Bench:
    """Runs a piece of work as one attempt and keeps what it sent as heartbeats."""

    def __init__(self) -> None:
        self.story: Story | None = None
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
            with story_alone(START) as self.story:
                limit, end = Deadline(deadline), Deadline(deadline + 10)
                try:
                    return await work(Attempt("w-1", "remove_background", 2, limit, end, Heart(ticket, number), START))
                finally:
                    self.elapsed = self.now

        return await environment.run(attempt)

    @property
    def now(self) -> float:
        """Virtual seconds since the attempt began."""
        return self.story.now if self.story else 0.0


def pytest_asyncio_loop_factories() -> dict[str, type[VirtualLoop]]:
    """Let these tests have a loop in which time can be virtual."""
    return {"virtual": VirtualLoop}


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client
