"""Puts the activities together out of settings, a clock and transports: the seams where a simulation comes in."""

from typing import Any

import httpx
from azure.core.pipeline.transport import AsyncHttpTransport

from app.attempts.clock import Clock, WallClock
from app.errors.services import BIREFNET_ERRORS, IMAGE_MANIPULATOR_ERRORS, SAM3_ERRORS
from app.pipeline.activities import Activities
from app.services.a100 import A100
from app.services.blob import BlobStore
from app.services.http import ServiceClient, http_client
from app.services.image_manipulator import ImageManipulator
from app.services.remote_job import RemoteJobs
from app.settings import Settings


class Assembly:
    """The activities and the connections that they share. Close it when the worker has stopped."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
        blob_transport: AsyncHttpTransport[Any, Any] | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. Without a clock or transports: those of production."""
        clock = clock or WallClock()
        self.http = http = http_client(http_transport)
        self._blobs = blobs = BlobStore(settings, clock, transport=blob_transport)
        birefnet = ServiceClient(http, settings.birefnet_url, BIREFNET_ERRORS)
        sam3 = ServiceClient(http, settings.sam3_url, SAM3_ERRORS)
        self.activities = Activities(
            blobs=blobs,
            image_manipulator=ImageManipulator(
                ServiceClient(http, settings.image_manipulator_url, IMAGE_MANIPULATOR_ERRORS)
            ),
            birefnet=RemoteJobs(birefnet, BIREFNET_ERRORS, clock, "result_uri"),
            sam3=RemoteJobs(sam3, SAM3_ERRORS, clock, "mask_uri"),
            a100=A100(http, settings.a100_urls, clock),
            clock=clock,
            picture_slots=settings.picture_slots,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()
        await self._blobs.close()
