"""Azure Blob Storage: pictures by `azure://container/blob` URI, through one client that signs with the account's key.

The SDK's own retries are off by default, since Temporal retries the activity; the gateway asks for two quick ones.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.storage.blob import ContentSettings, StorageErrorCode
from azure.storage.blob.aio import BlobClient, ContainerClient

from app.attempts.clock import Clock
from app.attempts.deadline import Deadline
from app.errors.services import (
    AzureBadAnswerError,
    AzureNotFoundError,
    AzureRejectedError,
    AzureTimeoutError,
    AzureUnavailableError,
)
from app.services.http import seconds_to_wait
from app.settings import Settings

API_VERSION = "2025-11-05"
"""The newest version that both Azure and the emulator answer."""

CALL_DEADLINE = 20.0
"""Seconds for one blob call when the caller has no tighter deadline."""

_FINAL = {400, 401, 403, 405, 409, 411, 412, 413, 415}


@dataclass(frozen=True)
class BlobInfo:
    """What is known of a blob without reading it."""

    size: int
    metadata: dict[str, str]


class BlobStore:
    """Reads and writes the pictures of one container, over one shared connection pool."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        transport: AsyncHttpTransport[Any, Any] | None = None,
        retries: int = 0,
    ) -> None:
        """Prepare; nothing is sent yet. `transport` is the simulation's seam, `retries` the SDK's own quick ones."""
        self.container = settings.azure_container
        self._clock = clock
        # One client, since each has a pipeline of some fifteen policies to build.
        self._client = ContainerClient(
            settings.azure_blob_endpoint,
            self.container,
            credential=AzureNamedKeyCredential(
                settings.azure_account_name, settings.azure_account_key.get_secret_value()
            ),
            # By itself it would look for a netrc and a proxy at each call, and change threads twice for it.
            transport=transport or AioHttpTransport(use_env_settings=False),
            proxies=_proxies(settings.azure_blob_endpoint),
            api_version=API_VERSION,
            retry_total=retries,
            retry_connect=retries,
            retry_read=retries,
            retry_status=retries,
            initial_backoff=0.2,
            increment_base=1.3,
            connection_timeout=5,
            read_timeout=30,
            max_single_get_size=8 * 1024 * 1024,
            max_chunk_get_size=8 * 1024 * 1024,
            logging_enable=False,
        )

    async def close(self) -> None:
        """Close the connection pool."""
        await self._client.close()

    def uri(self, name: str) -> str:
        """Return the `azure://container/blob` URI of a blob of this container."""
        return f"azure://{self.container}/{name}"

    def name(self, uri: str) -> str:
        """Return the blob's name.

        Raises:
            ValueError: the URI does not point into this container.
        """
        prefix = self.uri("")
        name = uri.removeprefix(prefix)
        if name == uri or not name or ".." in name or any(mark in name for mark in "?#\\\0"):
            raise ValueError(f"must be a blob URI that begins with {prefix}")
        return name

    async def put(
        self,
        name: str,
        data: bytes,
        content_type: str,
        *,
        overwrite: bool = True,
        metadata: dict[str, str] | None = None,
        deadline: Deadline | None = None,
    ) -> bool:
        """Write a blob. Returns False when it exists already and `overwrite` is off.

        Raises:
            PipelineError: one of the Azure errors.
        """
        async with self._calling(name, deadline) as blob:
            try:
                await blob.upload_blob(
                    data,
                    overwrite=overwrite,
                    metadata=metadata,
                    content_settings=ContentSettings(content_type=content_type),
                )
            except ResourceExistsError as error:  # any 409
                if overwrite or getattr(error, "error_code", None) != StorageErrorCode.BLOB_ALREADY_EXISTS:
                    raise
                return False
        return True

    async def get(self, name: str, *, max_bytes: int, deadline: Deadline | None = None) -> bytes:
        """Read a blob of at most `max_bytes`.

        Raises:
            AzureBadAnswerError: it is larger than that, empty, or no blob at all.
            PipelineError: another of the Azure errors.
        """
        async with self._calling(name, deadline) as blob:
            try:
                stream = await blob.download_blob()
            except ValueError as error:  # of the SDK, for headers that every blob's answer has
                raise AzureBadAnswerError("Azure answered with something that is no blob") from error
            if stream.size > max_bytes:
                raise AzureBadAnswerError(f"A picture in Azure has {stream.size} bytes; at most {max_bytes} are read")
            data = await stream.readall()
        if len(data) != stream.size:
            raise AzureUnavailableError("Azure broke off in the middle of a download")
        if not data:
            raise AzureBadAnswerError("A picture in Azure is empty")
        return data

    async def info(self, name: str, *, deadline: Deadline | None = None) -> BlobInfo:
        """Return a blob's size and metadata.

        Raises:
            AzureNotFoundError: there is none.
            PipelineError: another of the Azure errors.
        """
        async with self._calling(name, deadline) as blob:
            found = await blob.get_blob_properties()
        return BlobInfo(found.size, dict(found.metadata or {}))

    @asynccontextmanager
    async def _calling(self, name: str, deadline: Deadline | None) -> AsyncIterator[BlobClient]:
        """Hand out a client for one blob, and turn what can go wrong into one of the Azure errors."""
        until = deadline or Deadline(self._clock, CALL_DEADLINE)
        async with until.limit(lambda: AzureTimeoutError("Azure did not answer in time")):
            try:
                yield self._client.get_blob_client(name)
            except AzureError as error:
                _raise_classified(error)


def _proxies(endpoint: str) -> dict[str, str]:
    """Return the proxy that the environment names for the store (HTTPS_PROXY, NO_PROXY), by the scheme it is for."""
    address = urlsplit(endpoint)
    proxy = None if proxy_bypass(address.hostname or "") else getproxies().get(address.scheme)
    return {address.scheme: proxy} if proxy else {}


def _raise_classified(error: AzureError) -> NoReturn:
    """Classify by status code: the emulator and Azure raise different classes for the same status."""
    if isinstance(error, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        raise AzureTimeoutError("Azure did not answer in time") from error
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if getattr(error, "error_code", None) == StorageErrorCode.CONTAINER_NOT_FOUND:
        raise AzureRejectedError("The container is missing in Azure") from error
    if isinstance(error, ResourceNotFoundError) or status == 404:
        raise AzureNotFoundError("A blob is missing in Azure") from error
    if status in _FINAL:
        raise AzureRejectedError(f"Azure refused the request with status {status}") from error
    headers = getattr(getattr(error, "response", None), "headers", {})
    wait = seconds_to_wait(headers.get("Retry-After"))
    what = f"Azure answered with status {status}" if status else "Azure could not be reached, or broke the connection"
    raise AzureUnavailableError(what, retry_after=wait) from error
