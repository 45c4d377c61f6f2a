"""Azure Blob Storage: pictures by `azure://container/blob` URI, by the account's key, a SAS or an identity.

The SDK's own retries are off by default, since Temporal retries the activity; the gateway asks for two quick ones.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.storage.blob import ContentSettings, StorageErrorCode
from azure.storage.blob.aio import BlobClient, ContainerClient

from app.attempts.deadline import Deadline
from app.errors.services import (
    AzureBadAnswerError,
    AzureNotFoundError,
    AzureRejectedError,
    AzureTimeoutError,
    AzureUnavailableError,
    BlobEmptyError,
    BlobTooLargeError,
)
from app.process.proxy import proxy_for
from app.services.blob_transport import BlobTransport
from app.services.excerpt import excerpt, reason
from app.services.http import seconds_to_wait
from app.settings import Settings

API_VERSION = "2025-11-05"
"""The newest version that both Azure and the emulator answer."""

CALL_DEADLINE = 20.0
"""Seconds for one blob call when the caller has no tighter deadline."""

_FINAL = {400, 401, 403, 405, 409, 411, 412, 413, 415}
_PASSING = {"AccountBeingCreated", "ContainerBeingDeleted"}
"""Refusals that pass by themselves."""

WHAT_TO_DO = {
    "AuthenticationFailed": "The key, the token or the account's name is wrong, or this machine's clock differs from "
    "Azure's by more than 15 minutes.",
    "AuthorizationFailure": "The account's firewall or network rules keep this machine out.",
    "AuthorizationPermissionMismatch": "The identity or the SAS has no right to it: give it Storage Blob Data "
    "Contributor on the container, or a SAS with the rights r, c and w.",
    "AuthorizationProtocolMismatch": "The SAS is for https alone: say https in AZURE_BLOB_ENDPOINT.",
    "AuthorizationSourceIPMismatch": "The SAS is for other addresses than this machine's.",
    "InsufficientAccountPermissions": "The account is read-only or disabled.",
    "KeyBasedAuthenticationNotPermitted": "The account takes no keys: leave AZURE_ACCOUNT_KEY out and say "
    "AZURE_IDENTITY=true, for a managed identity with the role Storage Blob Data Contributor.",
    "ContainerBeingDeleted": "The container is being deleted, which takes half a minute or more: make it anew then.",
    "ContainerNotFound": "Make the container, or name another one in AZURE_CONTAINER.",
}
"""What a person does about the store's own words; for logs and the doctor."""

_WORD = re.compile(r"[A-Za-z]{3,80}")


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
        *,
        transport: AsyncHttpTransport[Any, Any] | None = None,
        retries: int = 0,
    ) -> None:
        """Prepare; nothing is sent yet. `transport` is the simulation's seam, `retries` the SDK's own quick ones."""
        self.container = settings.azure_container
        self._credential = _credential(settings)
        # One client, since each has a pipeline of some fifteen policies to build.
        self._client = ContainerClient(
            settings.azure_blob_endpoint,
            self.container,
            credential=self._credential,
            transport=transport or BlobTransport(),
            proxies=_proxies(settings.azure_blob_endpoint),
            api_version=API_VERSION,
            retry_total=retries,
            retry_connect=retries,
            retry_read=retries,
            retry_status=retries,
            initial_backoff=0.2,
            increment_base=1.3,
            max_single_get_size=8 * 1024 * 1024,
            max_chunk_get_size=8 * 1024 * 1024,
            logging_enable=False,
        )

    async def close(self) -> None:
        """Close the connection pool."""
        await self._client.close()
        if isinstance(self._credential, AsyncTokenCredential):
            await self._credential.close()

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
            BlobTooLargeError: it is larger than that.
            BlobEmptyError: it has no bytes.
            AzureBadAnswerError: it is no blob at all.
            PipelineError: another of the Azure errors.
        """
        async with self._calling(name, deadline) as blob:
            try:
                stream = await blob.download_blob()
            except ValueError as error:  # of the SDK, for headers that every blob's answer has
                raise AzureBadAnswerError("Azure answered with something that is no blob") from error
            if stream.size > max_bytes:
                raise BlobTooLargeError(f"A picture in Azure has {stream.size} bytes; at most {max_bytes} are read")
            data = await stream.readall()
        if len(data) != stream.size:
            raise AzureUnavailableError("Azure broke off in the middle of a download")
        if not data:
            raise BlobEmptyError("A picture in Azure is empty")
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
        until = deadline or Deadline(CALL_DEADLINE)
        async with until.limit(lambda: AzureTimeoutError("Azure did not answer in time")):
            try:
                yield self._client.get_blob_client(name)
            except AzureError as error:
                _raise_classified(error)


def _credential(settings: Settings) -> AzureNamedKeyCredential | AzureSasCredential | AsyncTokenCredential:
    """Return what opens the store: the account's key, a SAS, or an identity by azure-identity's own variables."""
    if settings.azure_identity:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - it is large, and few have it

        identity: AsyncTokenCredential = DefaultAzureCredential(connection_verify=_authority())
        return identity
    if settings.azure_sas_token is not None:
        return AzureSasCredential(settings.azure_sas_token.get_secret_value())
    assert settings.azure_account_key is not None  # the settings see to it
    return AzureNamedKeyCredential(settings.azure_account_name, settings.azure_account_key.get_secret_value())


def _authority() -> str | bool:
    """Return the file of certificates to believe. The SDK's library looks for it when it is imported, before `.env`."""
    return os.environ.get("SSL_CERT_FILE") or True


def _proxies(endpoint: str) -> dict[str, str]:
    """Return the proxy for the store as the SDK takes it, by the scheme that it is for."""
    proxy = proxy_for(endpoint)
    return {urlsplit(endpoint).scheme: proxy} if proxy else {}


def _raise_classified(error: AzureError) -> NoReturn:
    """Classify by status code: the emulator and Azure raise different classes for the same status."""
    if isinstance(error, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        raise AzureTimeoutError("Azure did not answer in time", said=reason(error)) from error
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        message = "No token could be had for Azure"
        raise AzureUnavailableError(message, said=excerpt(str(error))) from error
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        raise AzureUnavailableError(
            "Azure could not be reached, or broke the connection", said=reason(error)
        ) from error
    status, code = error.status_code, _code(error)
    named = f"{status}, {code}" if code else f"{status}"
    said = WHAT_TO_DO.get(code or "") or excerpt(error.message.partition("\n")[0])
    if code == StorageErrorCode.CONTAINER_NOT_FOUND:
        raise AzureRejectedError("The container is missing in Azure", said=said) from error
    if isinstance(error, ResourceNotFoundError) or status == 404:
        raise AzureNotFoundError("A blob is missing in Azure", said=said) from error
    if status in _FINAL and code not in _PASSING:
        raise AzureRejectedError(f"Azure refused the request with status {named}", said=said) from error
    wait = seconds_to_wait(getattr(error.response, "headers", {}).get("Retry-After"))
    raise AzureUnavailableError(f"Azure answered with status {named}", retry_after=wait, said=said) from error


def _code(error: HttpResponseError) -> str | None:
    """Return the store's own word for what is wrong, if it is one: `AuthenticationFailed` and the like."""
    code = getattr(error, "error_code", None)
    word = str(getattr(code, "value", code) or "")
    return word if _WORD.fullmatch(word) else None
