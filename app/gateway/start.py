"""Starting a try-on: first the picture into Blob Storage, then the workflow, and never two for one Idempotency-Key."""

import asyncio

from app.errors.request import GatewayBusyError, IdempotencyKeyReusedError
from app.gateway.temporal_calls import AlreadyStartedError, TryOns
from app.names import staged_blob
from app.pictures.picture_file import PictureFile
from app.pipeline.models import WorkflowInput
from app.services.blob import BlobStore
from app.settings import Settings

_DIGEST = "bodydigest"
_REUSED = "This Idempotency-Key was used with another body before; make a new key for a new request"


class Starter:
    """Stages pictures and starts workflows, a limited number at once: statuses are answered by the same processor."""

    def __init__(self, tryons: TryOns, blobs: BlobStore, settings: Settings) -> None:
        """Keep the ways to Temporal and to Blob Storage, and how many starts may go on at once."""
        self._tryons = tryons
        self._blobs = blobs
        self._slots = asyncio.Semaphore(settings.start_slots)
        self._patience = settings.body_timeout_s

    def staged_uri(self, workflow_id: str) -> str:
        """Say where the picture of a try-on will be staged."""
        return self._blobs.uri(staged_blob(workflow_id))

    async def start(
        self, workflow_id: str, wanted: WorkflowInput, photo: PictureFile, *, body_digest: str | None
    ) -> None:
        """Stage the picture and start the workflow. With a digest the request may be a repeated one.

        Raises:
            GatewayBusyError: too many others were being started for too long. Nothing was done.
            IdempotencyKeyReusedError: the id belongs to a request with another body.
            PipelineError: Azure or Temporal is not available. Without Azure nothing is started.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            raise GatewayBusyError("Too many uploads at once; try again in a moment", retry_after=5) from None
        try:
            await self._start(workflow_id, wanted, photo, body_digest)
        finally:
            self._slots.release()

    async def _start(
        self, workflow_id: str, wanted: WorkflowInput, photo: PictureFile, body_digest: str | None
    ) -> None:
        name = staged_blob(workflow_id)
        # A second body never overwrites the picture of the first, whose workflow may be about to read it.
        created = await self._blobs.put(
            name,
            photo.data,
            f"image/{photo.format.lower()}",
            overwrite=False,
            metadata={_DIGEST: body_digest} if body_digest else None,
        )
        if not created and (await self._blobs.info(name)).metadata.get(_DIGEST) != body_digest:
            raise IdempotencyKeyReusedError(_REUSED)
        try:
            # Also when the picture was there: the gateway that put it may have died before it came to this line.
            await self._tryons.start(workflow_id, wanted, body_digest=body_digest)
        except AlreadyStartedError as already:
            if already.body_digest != body_digest:
                raise IdempotencyKeyReusedError(_REUSED) from None
