import asyncio
import base64
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from azure.storage.blob import BlobServiceClient
from fastapi import FastAPI

from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from scenarios.stack.node import node_command

ACCOUNT = "jewelrytryon"
KEY = base64.b64encode(b"a key for tests, of no use elsewhere, 64 bytes long ............").decode()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The blob endpoint of an Azurite with the container of the specification."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp("azurite")
    words = ["--location", str(folder), "--blobPort", str(port), "--silent", "--skipApiVersionCheck"]
    command = [*node_command("azurite-blob"), *words, "--disableTelemetry"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}, stdout=log, stderr=log
        )
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        credential = {"account_name": ACCOUNT, "account_key": KEY}
        with BlobServiceClient(endpoint, credential=credential, retry_total=60, retry_backoff_factor=0.05) as client:
            client.create_container("jewelry-uploads")
        yield endpoint
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture
def settings(azurite: str) -> FakeSettings:
    return FakeSettings(
        azure_account_name=ACCOUNT, azure_account_key=KEY, azure_blob_endpoint=azurite, sim_enabled=True
    )


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
