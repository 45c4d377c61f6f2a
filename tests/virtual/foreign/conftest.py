"""One server and one virtual time for the eight applications, each of which has a worker of its own."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from scenarios.virtual import VirtualLoop, VirtualTime, virtual_clocks, virtual_server


class World:
    """Where the applications run."""

    def __init__(self, client: Client, virtual: VirtualTime) -> None:
        self.client = client
        self.virtual = virtual

    @asynccontextmanager
    async def working(self, workflows: Sequence[type], activities: Sequence[Callable[..., Any]]) -> AsyncIterator[str]:
        """Run a worker of an application as it is, sandbox and all; yields its task queue."""
        queue = f"q-{uuid.uuid4()}"
        with ThreadPoolExecutor(8) as executor:
            async with Worker(
                self.client, task_queue=queue, workflows=workflows, activities=activities, activity_executor=executor
            ):
                yield queue


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner


@pytest.fixture(scope="session")
def world(runner: asyncio.Runner) -> Iterator[World]:
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # the failures in these stories are wanted
    closing = AsyncExitStack()

    async def begin() -> World:
        address = await closing.enter_async_context(virtual_server())
        virtual = VirtualTime()
        return World(await Client.connect(address, plugins=[virtual]), virtual)

    with virtual_clocks():
        yield runner.run(begin())
        runner.run(closing.aclose())


@pytest.fixture
def play(runner: asyncio.Runner) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a story to its end."""
    return runner.run
