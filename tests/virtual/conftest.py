"""One session for all tests of virtual time in one process."""

from collections.abc import Iterator

import pytest

from tests.virtual.session import Session


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    with Session() as session:
        yield session
