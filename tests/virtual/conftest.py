"""One session for all tests of virtual time in one process."""

from collections.abc import Iterator

import pytest

from scenarios.virtual import VirtualLoop
from tests.virtual.session import Session


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    with Session() as session:
        yield session


def pytest_asyncio_loop_factories() -> dict[str, type[VirtualLoop]]:
    """Let coroutine tests have a loop in which time can be virtual."""
    return {"virtual": VirtualLoop}
