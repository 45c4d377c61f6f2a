"""What a write is told by a store that says 409: the blob is there already, or the write is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.attempts.clock import WallClock
from app.errors.services import AzureRejectedError
from app.services.blob import BlobStore
from app.settings import Settings

THERE, OTHER = "BlobAlreadyExists", "ContainerBeingDeleted"


@asynccontextmanager
async def store_that_says(code: str) -> AsyncIterator[BlobStore]:
    async def conflict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 409 Conflict\r\nx-ms-error-code: {code}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(conflict, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/account"
    services = dict.fromkeys(("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls"), "http://127.0.0.1:9")
    store = BlobStore(
        Settings.model_validate(
            {"azure_account_name": "account", "azure_account_key": "c2VjcmV0", "azure_blob_endpoint": address}
            | services
        ),
        WallClock(),
    )
    try:
        yield store
    finally:
        await store.close()
        server.close()
        await server.wait_closed()


async def test_a_blob_that_is_there_is_not_written_when_it_must_not_be() -> None:
    async with store_that_says(THERE) as store:
        assert await store.put("a", b"x", "image/jpeg", overwrite=False) is False


@pytest.mark.parametrize(("code", "overwrite"), [(OTHER, False), (OTHER, True), (THERE, True)])
async def test_any_other_conflict_is_a_refusal(code: str, overwrite: bool) -> None:
    async with store_that_says(code) as store:
        with pytest.raises(AzureRejectedError, match="409"):
            await store.put("a", b"x", "image/jpeg", overwrite=overwrite)
