"""A SAS opens one blob, for what is needed, for minutes; and Azurite holds to it, as Azure does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.storage.blob import BlobSasPermissions

from app.attempts.clock import WallClock
from app.services.blob import API_VERSION, BlobStore
from app.settings import Settings
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

LONGEST = timedelta(minutes=15)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BlobStore]:
    async with Stack(home=tmp_path, options=Options(parts=frozenset({"azurite"}))) as stack:
        environment = {name.lower(): value for name, value in stack.environment.items()}
        store = BlobStore(Settings.model_validate(environment), WallClock())
        yield store
        await store.close()


async def test_it_opens_one_blob_for_what_is_needed_for_minutes(store: BlobStore) -> None:
    assert await store.put("w-1.jpg", b"one", "image/jpeg")
    assert await store.put("w-2.jpg", b"two", "image/jpeg")
    url = store._client("w-1.jpg", BlobSasPermissions(read=True)).url
    said = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert (said["sr"], said["sp"]) == ("b", "r")
    expires = datetime.fromisoformat(said["se"])
    assert datetime.now(UTC) < expires < datetime.now(UTC) + LONGEST
    headers = {"x-ms-version": API_VERSION, "x-ms-blob-type": "BlockBlob"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        assert (await http.get(url)).content == b"one"
        assert (await http.get(url.replace("w-1", "w-2"))).status_code == 403
        assert (await http.put(url, content=b"other")).status_code == 403
        assert (await http.delete(url)).status_code == 403
        listing = f"{url.rpartition('/')[0]}?restype=container&comp=list&{urlsplit(url).query}"
        assert (await http.get(listing)).status_code == 403
        writer = store._client("w-1.jpg", BlobSasPermissions(create=True, write=True)).url
        assert (await http.get(writer)).status_code == 403
    assert await store.get("w-1.jpg", max_bytes=10) == b"one"


@pytest.mark.parametrize(
    ("endpoint", "protocol"), [("https://account.test", ["https"]), ("http://127.0.0.1:1/a", None)]
)
async def test_one_for_an_https_endpoint_does_not_open_it_over_http(endpoint: str, protocol: list[str] | None) -> None:
    services = dict.fromkeys(("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls"), "http://127.0.0.1:1")
    account = {"azure_account_name": "account", "azure_account_key": "c2VjcmV0", "azure_blob_endpoint": endpoint}
    store = BlobStore(Settings.model_validate(services | account), WallClock())
    url = store._client("w-1.jpg", BlobSasPermissions(read=True)).url
    await store.close()
    assert parse_qs(urlsplit(url).query).get("spr") == protocol
