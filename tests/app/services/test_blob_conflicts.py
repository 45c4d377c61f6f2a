"""What the store's own words come to: refused, or only for now; and what a person reads of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors.services import AzureRejectedError, AzureUnavailableError
from app.services.blob import BlobStore
from app.settings import Settings

THERE, OTHER = "BlobAlreadyExists", "BlobImmutableDueToPolicy"


@asynccontextmanager
async def store_that_says(code: str, status: int = 409) -> AsyncIterator[BlobStore]:
    async def conflict(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} x\r\nx-ms-error-code: {code}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
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


@pytest.mark.parametrize("code", ["ContainerBeingDeleted", "AccountBeingCreated"])
async def test_a_conflict_that_passes_is_tried_again(code: str) -> None:
    async with store_that_says(code) as store:
        with pytest.raises(AzureUnavailableError, match=f"409, {code}") as caught:
            await store.put("a", b"x", "image/jpeg")
    assert not caught.value.final


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "KeyBasedAuthenticationNotPermitted", "AZURE_IDENTITY=true"),
        (403, "AuthenticationFailed", "clock"),
        (403, "AuthorizationFailure", "firewall"),
        (403, "AuthorizationPermissionMismatch", "Storage Blob Data Contributor"),
        (403, "AuthorizationProtocolMismatch", "https"),
    ],
)
async def test_a_refusal_names_the_store_s_own_word_and_says_what_to_do(status: int, code: str, advice: str) -> None:
    async with store_that_says(code, status) as store:
        with pytest.raises(AzureRejectedError) as caught:
            await store.put("a", b"x", "image/jpeg")
    assert caught.value.message == f"Azure refused the request with status {status}, {code}"
    assert advice in (caught.value.said or "")


async def test_what_is_no_word_of_the_store_s_is_not_repeated() -> None:
    async with store_that_says("<script>alert(1)</script>", 403) as store:
        with pytest.raises(AzureRejectedError) as caught:
            await store.put("a", b"x", "image/jpeg")
    assert caught.value.message == "Azure refused the request with status 403"
