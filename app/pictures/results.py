"""The pictures that services make: read, checked and stored, with patience, so that blob faults repeat no GPU work."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors.services import (
    AzureNotFoundError,
    AzureTimeoutError,
    AzureUnavailableError,
    BlobEmptyError,
    BlobTooLargeError,
    ServiceErrors,
)
from app.names import is_another_s, photo_blob, plain_blob, result_blob
from app.pictures import result_checks
from app.pictures.base64_text import Base64Error, decode_base64
from app.pictures.decode_pool import DecodePool
from app.pictures.picture_file import PictureFile
from app.pipeline.policies import IMAGE_RETRY
from app.services.blob import BlobStore

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""The largest result that is read from Blob Storage. Uncompressed, a cut-out of 1536 x 1536 pixels has 9.4 MB."""

FILES = 16
"""Results that may be read and looked at, at once. Those of the A100 come on top: A100_MAX_CONCURRENT limits them."""

STORE_DEADLINE = 8.0
"""Seconds for one try to read or store a result."""

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

Check = Callable[[PictureFile, str], bytes | None]
"""Looks at a picture and the format that its name says, "" where it says none; returns what is to be stored instead."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Checked:
    """A result that can be gone on with, and what tells it from another."""

    uri: str
    digest: str


class Results:
    """Reads, checks and stores results, in a decode pool of their own: no photo that waits ever delays a GPU's work."""

    def __init__(self, blobs: BlobStore) -> None:
        """Keep the store."""
        self._blobs = blobs
        self._decode_pool = DecodePool(1, files=FILES)

    async def check(self, attempt: Attempt, uri: str, errors: ServiceErrors, check: Check) -> Checked:
        """Look at a result that a service names by URI, and return what to go on with.

        A service may name its results as it likes, within the container: but not as another try-on's.

        Raises:
            PipelineError: the service's bad answer, when the URI is not this try-on's, or the picture is not one that
                `check` lets pass; an Azure error when it cannot be read.
        """
        try:
            name = self._blobs.name(uri)
        except ValueError as error:
            raise errors.bad_answer(f"{errors.service} named a result that {error}") from None
        if is_another_s(name, attempt.workflow_id):
            raise errors.bad_answer(f"{errors.service} named a result of another try-on")
        if name == photo_blob(attempt.workflow_id):
            raise errors.bad_answer(f"{errors.service} named the photo itself as its result")
        async with self._decode_pool.files:
            try:
                data = await self._patiently(
                    attempt, lambda deadline: self._blobs.get(name, max_bytes=MAX_RESULT_BYTES, deadline=deadline)
                )
            except AzureNotFoundError:
                raise errors.bad_answer(f"{errors.service} named a result that does not exist") from None
            except BlobEmptyError:
                raise errors.bad_answer(f"{errors.service} made an empty file") from None
            except BlobTooLargeError:
                raise errors.bad_answer(f"{errors.service} made a file of more than {MAX_RESULT_BYTES} bytes") from None
            picture, better = await self._look(
                data, _FORMATS.get(PurePosixPath(name).suffix.lower(), ""), errors, check
            )
        if better is None:
            return Checked(uri, result_checks.digest(picture))
        plain = plain_blob(attempt.workflow_id, name)
        await self._put(attempt, plain, better, "image/png")
        return Checked(self._blobs.uri(plain), result_checks.digest(picture))

    async def store(self, attempt: Attempt, name: str, picture: str, errors: ServiceErrors, check: Check) -> str:
        """Look at a result that came as base64, store it as `{workflow_id}-{name}.jpg`, and return its URI.

        Raises:
            PipelineError: the service's bad answer, or an Azure error.
        """
        try:
            data = decode_base64(picture)
        except Base64Error:
            raise errors.bad_answer(f"{errors.service} answered with broken base64") from None
        await self._look(data, "JPEG", errors, check)
        blob = result_blob(attempt.workflow_id, name)
        await self._put(attempt, blob, data, "image/jpeg")
        return self._blobs.uri(blob)

    async def _look(
        self, data: bytes, named: str, errors: ServiceErrors, check: Check
    ) -> tuple[PictureFile, bytes | None]:
        try:
            picture = result_checks.open_result(data)
            return picture, await self._decode_pool.work(picture.pixels, check, picture, named)
        except result_checks.BadResultError as error:
            raise errors.bad_answer(f"{errors.service} made {error}", final=error.final) from None

    async def _put(self, attempt: Attempt, name: str, data: bytes, content_type: str) -> None:
        await self._patiently(attempt, lambda deadline: self._blobs.put(name, data, content_type, deadline=deadline))

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
                await asyncio.sleep(wait)
                pause *= IMAGE_RETRY.backoff_coefficient
                tries += 1
