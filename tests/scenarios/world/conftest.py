"""One time-skipping server for all tests of the engine in one process."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from scenarios.world.time_skipping import time_skipping_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with time_skipping_server(tmp_path_factory.mktemp("temporal")) as client:
        yield client
