"""What leaves the process for the store: a signature for one request, and never the key."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.pipeline.transport import AioHttpTransport

from app.errors.services import AzureNotFoundError
from app.services.blob import API_VERSION, BlobStore
from app.settings import Settings
from scenarios.processes.ports import HOST
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack


class Overheard(AioHttpTransport):  # type: ignore[misc]  # the library gives it no types
    """Keeps the headers of the last request."""

    headers: dict[str, str]

    async def send(self, request: Any, **options: Any) -> Any:
        self.headers = dict(request.headers)
        return await super().send(request, **options)


KEY = base64.b64encode(b"the key of the account").decode()


async def asked_for(act: str, endpoint: str) -> bytes:
    """Return the bytes of the request that reading or writing sends."""
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        services = dict.fromkeys(("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls"), "http://unused")
        account = {"azure_account_name": "account", "azure_account_key": KEY}
        told = services | account | {"azure_blob_endpoint": f"http://{HOST}:{port}{endpoint}"}
        store = BlobStore(Settings.model_validate(told))
        with pytest.raises(AzureNotFoundError):
            await (store.get("w-1.jpg", max_bytes=10) if act == "get" else store.put("w-1.jpg", b"one", "image/jpeg"))
        await store.close()
    return heads[0]


@pytest.mark.parametrize("act", ["get", "put"])
async def test_a_request_carries_a_signature_and_not_the_key(act: str) -> None:
    head = await asked_for(act, "/account")
    assert b"Authorization: SharedKey account:" in head
    assert KEY.encode() not in head
    assert b"the key of the account" not in head
    assert b"sig=" not in head


async def test_a_signature_opens_no_other_blob_and_nothing_else(tmp_path: Path) -> None:
    """Azurite holds to it, as Azure does: the signature is for one method and one address."""
    async with Stack(home=tmp_path, options=Options(parts=frozenset({"azurite"}))) as stack:
        environment = {name.lower(): value for name, value in stack.environment.items()}
        settings = Settings.model_validate(environment)
        transport = Overheard(use_env_settings=False)
        store = BlobStore(settings, transport=transport)
        for name in ("w-1.jpg", "w-2.jpg"):
            assert await store.put(name, b"one", "image/jpeg")
        assert await store.get("w-1.jpg", max_bytes=10) == b"one"
        await store.close()
        headers = transport.headers
        assert headers["x-ms-version"] == API_VERSION
        place = f"{settings.azure_blob_endpoint}/{settings.azure_container}"
        async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
            assert (await http.get(f"{place}/w-1.jpg")).content == b"one"
            assert (await http.get(f"{place}/w-2.jpg")).status_code == 403
            assert (await http.delete(f"{place}/w-1.jpg")).status_code == 403
            assert (await http.get(f"{place}?restype=container&comp=list")).status_code == 403
