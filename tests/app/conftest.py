"""What the production code is tested against: Temporal, Azurite and the fakes for real, the worker in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from temporalio.client import Client

from app.services.assembly import Assembly
from app.services.blob import BlobStore
from app.settings import Settings
from app.worker import working
from scenarios.stack.programs import ALL_PARTS, Options
from scenarios.stack.stack import Stack


@pytest.fixture(scope="session")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Temporal, Azurite and the fakes as processes; neither worker nor gateway."""
    home: Path = tmp_path_factory.mktemp("backing")
    options = Options(parts=ALL_PARTS - {"worker", "gateway"}, profile="instant", temporal_ui=False, in_memory=True)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Stack(home=home, options=options)) as stack,
    ):
        yield stack


@pytest.fixture
def settings(backing: Stack) -> Settings:
    """The settings of a worker on that stack, its task queue apart from every other test's process."""
    names = Settings.model_fields
    given = {name.lower(): value for name, value in backing.environment.items() if name.lower() in names}
    return Settings.model_validate(given | {"worker_drain_s": 1})


@pytest.fixture
async def client(backing: Stack) -> Client:
    return await backing.temporal()


@pytest.fixture
async def blobs(settings: Settings) -> AsyncIterator[BlobStore]:
    store = BlobStore(settings)
    yield store
    await store.close()


@pytest.fixture
async def worker(client: Client, settings: Settings) -> AsyncIterator[None]:
    """A worker of the production's own making, in this process."""
    assembly = Assembly(settings)
    async with working(client, settings, assembly.activities):
        yield
    await assembly.close()
