import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings


@pytest.fixture
def settings(azurite: dict[str, str]) -> FakeSettings:
    return FakeSettings.model_validate(azurite | {"sim_enabled": True})


Opened = Callable[[FastAPI], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def opened() -> Opened:
    """Serve an application and give a client for it."""

    @asynccontextmanager
    async def open_app(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
        async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as client:
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
