"""Puts clients and activities together, out of settings and transports: where a simulation comes in."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx
from azure.core.pipeline.transport import AsyncHttpTransport

from app.attempts.deadline import Deadline
from app.errors.services import BIREFNET_ERRORS, IMAGE_MANIPULATOR_ERRORS, SAM3_ERRORS, ServiceErrors
from app.pipeline.activities import Activities
from app.services.a100 import A100
from app.services.blob import BlobStore
from app.services.http import ServiceClient, http_client
from app.services.image_manipulator import ImageManipulator
from app.services.remote_job import RemoteJobs
from app.settings import Settings


class Pinged(Protocol):
    """A client that can see whether its service is there."""

    @property
    def errors(self) -> ServiceErrors:
        """Its classes of errors."""
        ...

    async def ping(self, deadline: Deadline) -> None:
        """Return if it is.

        Raises:
            PipelineError: it is not; the service's time-out, where it may only be slow.
        """
        ...


class ServiceClients:
    """A client for each outside service, over shared connections. Close it when nothing is called any more."""

    def __init__(
        self,
        settings: Settings,
        *,
        http_transport: httpx.AsyncBaseTransport | None = None,
        blob_transport: AsyncHttpTransport[Any, Any] | None = None,
        blob_retries: int = 0,
    ) -> None:
        """Prepare; nothing is sent yet. Without transports: those of production."""
        self.http = http = http_client(http_transport)
        self.blobs = BlobStore(settings, transport=blob_transport, retries=blob_retries)
        self.image_manipulator = ImageManipulator(
            ServiceClient(http, settings.image_manipulator_url, IMAGE_MANIPULATOR_ERRORS)
        )
        self.birefnet = RemoteJobs(
            ServiceClient(http, settings.birefnet_url, BIREFNET_ERRORS), BIREFNET_ERRORS, "result_uri"
        )
        self.sam3 = RemoteJobs(ServiceClient(http, settings.sam3_url, SAM3_ERRORS), SAM3_ERRORS, "mask_uri")
        self.a100 = A100(http, settings.a100_urls)

    @property
    def pinged(self) -> Mapping[str, Pinged]:
        """The services whose health is asked, by their names in the API."""
        return {
            "a100": self.a100,
            "image_manipulator": self.image_manipulator,
            "birefnet": self.birefnet,
            "sam3": self.sam3,
        }

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self.blobs.close()


class Assembly:
    """The activities and the connections that they share. Close it when the worker has stopped."""

    def __init__(
        self,
        settings: Settings,
        *,
        http_transport: httpx.AsyncBaseTransport | None = None,
        blob_transport: AsyncHttpTransport[Any, Any] | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. Without transports: those of production."""
        self._services = services = ServiceClients(
            settings, http_transport=http_transport, blob_transport=blob_transport
        )
        self.http = services.http
        self.activities = Activities(
            blobs=services.blobs,
            image_manipulator=services.image_manipulator,
            birefnet=services.birefnet,
            sam3=services.sam3,
            a100=services.a100,
            picture_slots=settings.picture_slots,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._services.close()
