"""A store that answers as no store does, as a proxy or a portal between does: its fault, and not the photo's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors.services import AzureBadAnswerError
from app.services.blob import BlobStore
from app.settings import Settings
from scenarios.processes.ports import HOST

PORTAL = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"log in": true'
EMPTY = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/0\r\nContent-Length: 0\r\nETag: a\r\n\r\n"


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}/jewelrytryon"


@pytest.mark.parametrize("answer", [PORTAL, EMPTY], ids=["portal", "empty"])
async def test_what_is_no_blob_is_a_bad_answer_of_the_store(answer: bytes) -> None:
    names = ("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls")
    account = {"azure_account_name": "jewelrytryon", "azure_account_key": "a2V5"}
    async with answering(answer) as endpoint:
        parts = dict.fromkeys(names, "http://unused") | account | {"azure_blob_endpoint": endpoint}
        store = BlobStore(Settings.model_validate(parts))
        try:
            with pytest.raises(AzureBadAnswerError):
                await store.get("w-1.jpg", max_bytes=1000)
        finally:
            await store.close()
