import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from starlette.types import ASGIApp

from fakes.kit.serve import serving
from fakes.settings import ServiceSettings


@pytest.fixture
def settings(azurite: dict[str, str]) -> ServiceSettings:
    return ServiceSettings.model_validate(azurite | {"sim_enabled": True})


Opened = Callable[[ASGIApp], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def opened() -> Opened:
    """Serve an application and give a client for it."""

    @asynccontextmanager
    async def open_app(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
        async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
            yield client

    return open_app


@pytest.fixture
def key() -> str:
    return str(uuid4())


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """No task of a fake outlives its test."""
    yield
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left
