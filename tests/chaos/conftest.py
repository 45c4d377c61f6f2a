"""One stack to break for all of these tests: it takes most of their time to start."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from scenarios.chaos.site import StruckStack, open_site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StruckStack]:
    async with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site
