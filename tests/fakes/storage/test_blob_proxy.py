"""The real Azure SDK through the proxy, unchanged."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobClient, BlobServiceClient

from fakes import sam3
from fakes.kit.client import AsyncControl, ControlError
from fakes.kit.serve import serving
from fakes.settings import ServiceSettings
from fakes.storage import blob_proxy
from fakes.storage.container import make_container
from fakes.storage.store import API_VERSION, open_store
from scenarios.stack.programs import ACCOUNT, ACCOUNT_KEY

CONTAINER = "jewelry-uploads"


@dataclass
class Proxied:
    endpoint: str
    control: AsyncControl
    service: BlobServiceClient
    straight: BlobServiceClient
    """The same store, not through the proxy."""
    key: str

    def blob(self, suffix: str = ".jpg") -> BlobClient:
        return self.service.get_blob_client(CONTAINER, self.key + suffix)

    async def stored(self, suffix: str = ".jpg") -> bytes:
        return await (await self.straight.get_blob_client(CONTAINER, self.key + suffix).download_blob()).readall()


def client(endpoint: str) -> BlobServiceClient:
    credential = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
    return BlobServiceClient(
        endpoint,
        credential=credential,
        retry_total=0,
        api_version=API_VERSION,
        max_single_put_size=1_000_000,
        max_block_size=500_000,
    )


@pytest.fixture
async def proxied(settings: ServiceSettings, key: str) -> AsyncIterator[Proxied]:
    async with serving(blob_proxy.create_app(settings)) as url, AsyncControl(url) as control:
        endpoint = f"{url}/{ACCOUNT}"
        async with client(endpoint) as service, client(settings.azure_blob_endpoint) as straight:
            yield Proxied(endpoint, control, service, straight, key)


async def test_the_sdk_works_unchanged(proxied: Proxied) -> None:
    data = bytes(range(256)) * 20_000  # 5 MB: in blocks
    blob = proxied.blob("-a name, with ümlauts & 100%.jpg")
    await blob.upload_blob(data, metadata={"a": "b"})
    assert (await blob.get_blob_properties()).size == len(data)
    assert await (await blob.download_blob()).readall() == data
    assert await (await blob.download_blob(offset=10, length=20)).readall() == data[10:30]
    container = proxied.service.get_container_client(CONTAINER)
    names = [item.name async for item in container.list_blobs(name_starts_with=proxied.key)]
    assert names == [blob.blob_name]
    await blob.delete_blob()
    with pytest.raises(ResourceNotFoundError):
        await blob.get_blob_properties()
    operations = [call["operation"] for call in await proxied.control.ledger(proxied.key)]
    assert operations[0] == "put"
    assert operations[-1] == "head"
    assert set(operations) == {"put", "head", "get"}


async def test_the_store_is_reached_without_a_proxy_of_the_environment(
    settings: ServiceSettings, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with (
        open_store(settings) as store,
        serving(blob_proxy.create_app(settings)) as url,
        open_store(settings.model_copy(update={"azure_blob_endpoint": f"{url}/{ACCOUNT}"})) as through,
    ):
        uri = await store.put(f"azure://{CONTAINER}/{key}.jpg", b"x")
        assert await through.get(uri) == b"x"
    assert await asyncio.to_thread(make_container, settings) is False, "it was there"


async def test_sas(proxied: Proxied) -> None:
    await proxied.blob().upload_blob(b"secret")
    token = generate_blob_sas(
        ACCOUNT,
        CONTAINER,
        proxied.blob().blob_name,
        account_key=ACCOUNT_KEY,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )
    url = f"{proxied.endpoint}/{CONTAINER}/{proxied.key}.jpg"
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}?{token}")).content == b"secret"
        assert (await http.get(url)).status_code in (401, 403, 404)
    async with BlobClient.from_blob_url(f"{url}?{token}", api_version=API_VERSION) as blob:
        assert await (await blob.download_blob()).readall() == b"secret"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (503, "ServerBusy", HttpResponseError),
        (403, "AuthenticationFailed", ClientAuthenticationError),
        (404, "BlobNotFound", ResourceNotFoundError),
    ],
)
async def test_an_error_status_is_worded_as_azure_does(
    proxied: Proxied, status: int, code: str, error: type[AzureError]
) -> None:
    await proxied.control.add({"operation": "put", "fault": {"kind": "status", "status": status, "retry_after": 3}})
    with pytest.raises(error) as raised:
        await proxied.blob().upload_blob(b"x" * 1_000_000)
    failed: Any = raised.value
    assert (failed.status_code, failed.error_code) == (status, code)
    assert failed.response.headers["Retry-After"] == "3"
    await proxied.control.remove()
    await proxied.blob().upload_blob(b"x")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("container_being_deleted", 409, "ContainerBeingDeleted"),
        ("container_missing", 404, "ContainerNotFound"),
        ("key_not_permitted", 403, "KeyBasedAuthenticationNotPermitted"),
        ("clock_skew", 403, "AuthenticationFailed"),
    ],
)
async def test_what_azure_itself_refuses(proxied: Proxied, kind: str, status: int, code: str) -> None:
    await proxied.control.add({"calls": 1, "expect": True, "fault": {"kind": kind}})
    with pytest.raises(HttpResponseError) as raised:
        await proxied.blob().upload_blob(b"x")
    failed: Any = raised.value
    assert (failed.status_code, failed.error_code) == (status, code)
    assert (await proxied.control.verdict())["verdict"] == "passed"
    await proxied.blob().upload_blob(b"x")


async def test_a_blob_of_another_size(proxied: Proxied) -> None:
    blob = proxied.blob()
    await blob.upload_blob(b"x" * 100)
    for size in (0, 2**26):
        await proxied.control.add({"operation": "get", "fault": {"kind": "blob_size", "bytes": size}})
        assert (await blob.download_blob()).size == size
        await proxied.control.remove()
    await proxied.control.add({"operation": "get", "max_hits": 1, "fault": {"kind": "blob_size"}})
    assert await (await blob.download_blob()).readall() == b"", "the SDK has heard of no byte, and so reads none"
    assert await (await blob.download_blob()).readall() == b"x" * 100
    with pytest.raises(ControlError, match="no blob is read by it"):
        await proxied.control.add({"operation": "put", "fault": {"kind": "blob_size"}})


async def test_a_fault_of_the_store_fits_no_service(settings: ServiceSettings) -> None:
    async with serving(sam3.create_app(settings)) as url, AsyncControl(url) as control:
        with pytest.raises(ControlError, match="it is none of the blob store's"):
            await control.add({"operation": "poll", "fault": {"kind": "clock_skew"}})


async def test_reset(proxied: Proxied) -> None:
    # not once: aiohttp, below the SDK, silently repeats a PUT whose connection broke
    await proxied.control.add({"operation": "put", "fault": {"kind": "reset"}})
    with pytest.raises((ServiceResponseError, ServiceRequestError)):
        await proxied.blob().upload_blob(b"x")
    await proxied.control.remove()
    with pytest.raises(ResourceNotFoundError):
        await proxied.stored()
    await proxied.blob().upload_blob(b"x")


async def test_accepted_but_the_answer_is_lost(proxied: Proxied) -> None:
    await proxied.control.add({"operation": "put", "fault": {"kind": "answer_lost"}})
    with pytest.raises((ServiceResponseError, ServiceRequestError)):
        await proxied.blob().upload_blob(b"kept")
    assert await proxied.stored() == b"kept"


async def test_truncated_download(proxied: Proxied) -> None:
    await proxied.blob().upload_blob(b"x" * 100_000)
    await proxied.control.add({"operation": "get", "fault": {"kind": "truncate"}})
    with pytest.raises((IncompleteReadError, HttpResponseError, ServiceResponseError)):
        await (await proxied.blob().download_blob()).readall()


async def test_slow_in_real_time(proxied: Proxied) -> None:
    await proxied.blob().upload_blob(b"x")
    await proxied.control.add({"operation": "get", "fault": {"kind": "delay", "seconds": 0.3}})
    began = asyncio.get_running_loop().time()
    await (await proxied.blob().download_blob()).readall()
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_virtual_time(proxied: Proxied) -> None:
    await proxied.blob().upload_blob(b"x")
    await proxied.control.add({"operation": "get", "fault": {"kind": "delay", "seconds": 20}})
    claimed = []
    download = await proxied.blob().download_blob(
        headers={"X-Sim-Time": "1000"},
        raw_response_hook=lambda response: claimed.append(response.http_response.headers["X-Sim-Elapsed"]),
    )
    assert await download.readall() == b"x"
    assert claimed == ["20.0"]


async def test_a_key_in_the_header_goes_before_the_name(proxied: Proxied) -> None:
    await proxied.control.add({"key": "somebody", "fault": {"kind": "status", "status": 503}})
    await proxied.blob().upload_blob(b"x")
    with pytest.raises(HttpResponseError):
        await proxied.blob().upload_blob(b"x", overwrite=True, headers={"X-Workflow-Id": "somebody"})
    assert [call["key"] for call in await proxied.control.ledger()] == [proxied.key, "somebody"]


async def test_a_store_that_is_down_looks_as_if_there_were_no_proxy(settings: ServiceSettings, key: str) -> None:
    settings = settings.model_copy(update={"azure_blob_endpoint": f"http://127.0.0.1:1/{ACCOUNT}"})
    async with serving(blob_proxy.create_app(settings)) as url, client(f"{url}/{ACCOUNT}") as service:
        with pytest.raises((ServiceResponseError, ServiceRequestError)):
            await service.get_blob_client(CONTAINER, key).upload_blob(b"x")


async def test_many_at_once_stream(proxied: Proxied) -> None:
    datas = [bytes([number]) * 3_000_000 for number in range(8)]

    async def there_and_back(number: int) -> bytes:
        blob = proxied.blob(f"-{number}.bin")
        await blob.upload_blob(datas[number])
        return await (await blob.download_blob()).readall()

    assert await asyncio.gather(*map(there_and_back, range(8))) == datas
