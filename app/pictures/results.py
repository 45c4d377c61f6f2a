"""The pictures that services make: read, checked and stored, with patience, so that blob faults repeat no GPU work."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pybase64

from app.attempts.attempt import Attempt
from app.attempts.clock import Clock
from app.attempts.deadline import Deadline
from app.errors.services import AzureNotFoundError, AzureTimeoutError, AzureUnavailableError, ServiceErrors
from app.names import result_blob
from app.pictures.decode_pool import DecodePool
from app.pictures.photo import count_pixels
from app.pictures.result_checks import BadResultError
from app.pipeline.policies import IMAGE_RETRY
from app.services.blob import BlobStore

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""The largest result that is read from Blob Storage. Uncompressed, a cut-out of 1536 x 1536 pixels has 9.4 MB."""

FILES = 16
"""Results that may be read and looked at, at once. Those of the A100 come on top: A100_MAX_CONCURRENT limits them."""

STORE_DEADLINE = 8.0
"""Seconds for one try to read or store a result."""

Check = Callable[[bytes], None]
ResultT = TypeVar("ResultT")


class Results:
    """Reads, checks and stores results, in a decode pool of their own: no photo that waits ever delays a GPU's work."""

    def __init__(self, blobs: BlobStore, clock: Clock) -> None:
        """Keep the store and the clock."""
        self._blobs = blobs
        self._clock = clock
        self._decode_pool = DecodePool(1, files=FILES)

    async def read(self, attempt: Attempt, uri: str) -> bytes:
        """Read one of the try-on's own pictures."""
        return await self._blobs.get(self._blobs.name(uri), max_bytes=MAX_RESULT_BYTES, deadline=attempt.deadline)

    async def check(self, attempt: Attempt, uri: str, errors: ServiceErrors, check: Check) -> None:
        """Look at a result that a service names by URI.

        Raises:
            PipelineError: the service's bad answer, when the URI is not this try-on's, or the picture is not one that
                `check` lets pass; an Azure error when it cannot be read.
        """
        try:
            name = self._blobs.name(uri)
        except ValueError as error:
            raise errors.bad_answer(f"{errors.service} named a result that {error}") from None
        if not name.startswith(f"{attempt.workflow_id}-"):
            raise errors.bad_answer(f"{errors.service} named a result of another try-on")
        async with self._decode_pool.files:
            try:
                data = await self._patiently(
                    attempt, lambda deadline: self._blobs.get(name, max_bytes=MAX_RESULT_BYTES, deadline=deadline)
                )
            except AzureNotFoundError:
                raise errors.bad_answer(f"{errors.service} named a result that does not exist") from None
            await self._look(data, errors, check)

    async def store(self, attempt: Attempt, name: str, picture: str, errors: ServiceErrors, check: Check) -> str:
        """Look at a result that came as base64, store it as `{workflow_id}-{name}.jpg`, and return its URI.

        Raises:
            PipelineError: the service's bad answer, or an Azure error.
        """
        try:
            data = pybase64.b64decode(picture, validate=True)
        except ValueError:
            raise errors.bad_answer(f"{errors.service} answered with broken base64") from None
        await self._look(data, errors, check)
        blob = result_blob(attempt.workflow_id, name)
        await self._patiently(attempt, lambda deadline: self._blobs.put(blob, data, "image/jpeg", deadline=deadline))
        return self._blobs.uri(blob)

    async def _look(self, data: bytes, errors: ServiceErrors, check: Check) -> None:
        try:
            await self._decode_pool.work(count_pixels(data), check, data)
        except BadResultError as error:
            raise errors.bad_answer(f"{errors.service} made {error}") from None

    async def _patiently(self, attempt: Attempt, operation: Callable[[Deadline], Awaitable[ResultT]]) -> ResultT:
        """Try a blob operation as often as the policy for uploads says, but within the attempt.

        The last error is final: another attempt would ask the GPU for the same work again, and the GPU is not to blame.
        """
        pause = IMAGE_RETRY.initial_interval.total_seconds()
        tries = 1
        while True:
            try:
                return await operation(attempt.end.sooner(STORE_DEADLINE))
            except (AzureUnavailableError, AzureTimeoutError) as error:
                wait = pause if error.retry_after is None else error.retry_after
                if tries == IMAGE_RETRY.maximum_attempts or wait >= attempt.end.remaining:
                    raise type(error)(error.message, final=True) from error
                await self._clock.sleep(wait)
                pause *= IMAGE_RETRY.backoff_coefficient
                tries += 1
