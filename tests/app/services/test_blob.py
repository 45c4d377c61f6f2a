"""How the blob store is reached: by the environment's proxy where it names one, and with no credentials of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.errors.services import AzureNotFoundError
from app.services.blob import BlobStore
from app.settings import Settings
from scenarios.processes.ports import HOST, reserve_port

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[str]]]:
    """A server that keeps what it is asked, and has no blob."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


async def read_from(endpoint: str) -> None:
    names = ("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls")
    account = {"azure_account_name": "jewelrytryon", "azure_account_key": "a2V5", "azure_blob_endpoint": endpoint}
    store = BlobStore(Settings.model_validate(dict.fromkeys(names, "http://unused") | account))
    try:
        with pytest.raises(AzureNotFoundError):
            await store.get("w-1.jpg", max_bytes=10)
    finally:
        await store.close()


async def test_the_environment_s_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (port, heads):
        monkeypatch.setenv("http_proxy", f"http://{HOST}:{port}")
        await read_from("http://store.example/jewelrytryon")
    assert heads[0].startswith("GET http://store.example/jewelrytryon/jewelry-uploads/w-1.jpg HTTP/1.1")


async def test_what_runs_on_this_machine_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (port, heads):
        monkeypatch.setenv("http_proxy", f"http://{HOST}:{reserve_port()}")
        await read_from(f"http://{HOST}:{port}/jewelrytryon")
    assert heads[0].startswith("GET /jewelrytryon/jewelry-uploads/w-1.jpg HTTP/1.1")


async def test_no_credentials_of_a_netrc_are_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with listening() as (port, heads):
        await read_from(f"http://{HOST}:{port}/jewelrytryon")
    [sent] = [line for line in heads[0].lower().splitlines() if line.startswith("authorization:")]
    assert sent.startswith("authorization: sharedkey ")  # ours, and nobody else's
