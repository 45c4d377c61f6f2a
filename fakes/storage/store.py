"""The pictures of the fakes: blobs by their azure:// URI, read and written in the store itself."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import BlobServiceClient
from fastapi import HTTPException

from fakes.settings import ServiceSettings

URI = re.compile(r"azure://(?P<container>[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])?)/(?P<blob>[^\s?#]{1,1024})")
MEDIA_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
API_VERSION = "2025-11-05"
"""The newest service version that both Azure and Azurite 3.37 know."""


class BlobStore:
    """Blobs by URI. Errors are the HTTP answers that a service would give: 404, 422, 502."""

    def __init__(self, client: BlobServiceClient) -> None:
        self._client = client

    async def get(self, uri: str) -> bytes:
        """Return a blob's bytes."""
        container, name = _split(uri)
        try:
            download = await self._client.get_blob_client(container, name).download_blob()
            return await download.readall()
        except ResourceNotFoundError as error:
            raise HTTPException(404, f"there is no blob {uri}") from error
        except AzureError as error:
            raise HTTPException(502, f"the blob store did not give {uri}: {_why(error)}") from error

    async def put(self, uri: str, data: bytes) -> str:
        """Write a blob, over an older one too, and return its URI."""
        container, name = _split(uri)
        media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        try:
            await self._client.get_blob_client(container, name).upload_blob(
                data, overwrite=True, content_settings=ContentSettings(content_type=media_type)
            )
        except AzureError as error:
            raise HTTPException(502, f"the blob store did not take {uri}: {_why(error)}") from error
        return uri


def derived(uri: str, suffix: str) -> str:
    """Return the URI of what is made from a blob: `derived("azure://c/x.jpg", "-mask.png")` is `azure://c/x-mask.png`."""
    container, name = _split(uri)
    return f"azure://{container}/{PurePosixPath(name).with_suffix('')}{suffix}"


def foreign(uri: str, key: str) -> str:
    """Return the URI of the same blob as if another workflow owned it: another UUID in place of the key."""
    container, name = _split(uri)
    other = str(uuid5(NAMESPACE_URL, f"another workflow than {key or name}"))
    owned = key if key and name.startswith(key) else name[:36]
    return f"azure://{container}/{other}{name[len(owned) :] or PurePosixPath(name).suffix}"


@asynccontextmanager
async def open_store(settings: ServiceSettings) -> AsyncIterator[BlobStore]:
    """Connect to the store that the AZURE_* variables name.

    Raises:
        ValueError: one of them is missing.
    """
    missing = [name for name in ("azure_account_key", "azure_blob_endpoint") if not getattr(settings, name)]
    if missing:
        names = " and ".join(name.upper() for name in missing)
        raise ValueError(f"set {names}: a fake reads and writes its pictures in that blob store")
    credential = {"account_name": settings.azure_account_name, "account_key": settings.azure_account_key}
    async with BlobServiceClient(
        settings.azure_blob_endpoint,
        credential=credential,
        api_version=API_VERSION,
        retry_total=3,
        connection_timeout=5,
        read_timeout=30,
        max_single_put_size=64 * 1024 * 1024,
        max_single_get_size=64 * 1024 * 1024,
        use_env_settings=False,  # no proxy of the environment: the store stands beside the fakes
    ) as client:
        yield BlobStore(client)


def _split(uri: str) -> tuple[str, str]:
    found = URI.fullmatch(uri)
    if not found:
        raise HTTPException(422, f"{uri[:200]!r} is no azure://container/blob URI")
    return found["container"], found["blob"]


def _why(error: AzureError) -> str:
    return str(getattr(error, "reason", "") or type(error).__name__)
