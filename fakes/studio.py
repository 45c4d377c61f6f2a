"""What the fakes of the services share: an application with the blob store, jobs that make pictures, and their lies."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from PIL import Image
from pydantic import Field

from fakes import faults, profiles  # noqa: F401 - a file of rules is for all services
from fakes.kit.calls import this_call
from fakes.kit.simulated import Simulated
from fakes.kit.work import OutOfMemoryError
from fakes.pictures import PictureError
from fakes.pictures.faults import NameFault, PictureFault
from fakes.pictures.memory import Memory
from fakes.registry import Service
from fakes.settings import ServiceSettings
from fakes.storage.store import BlobStore, derived, foreign, open_store

BlobUri = Annotated[str, Field(pattern="^azure://[^/]+/.+")]
"""Where a picture is, in the store that all share."""
Pixels = Annotated[int, Field(ge=1)]

T = TypeVar("T")
MEGAPIXEL = 1_000_000


class Studio:
    """A service that makes pictures. Its handlers are those of `app`; `fake` is the application, wrapped."""

    def __init__(self, service: Service, settings: ServiceSettings) -> None:
        self._settings = settings
        self._store: BlobStore | None = None
        self._memory = Memory(settings.fakes_remember)
        self.app = FastAPI(title=f"{service.name} (fake)", version="1", lifespan=self._open, openapi_url=None)
        self.app.add_api_route("/", self._about, methods=["GET"], include_in_schema=False)
        self.app.add_exception_handler(PictureError, _unusable)
        self.fake = Simulated(
            self.app, service.name, settings, service.operations, profiles=profiles.named(service.name)
        )

    @property
    def store(self) -> BlobStore:
        """The blob store, while the fake runs."""
        if self._store is None:
            raise RuntimeError("the blob store is open only while the fake runs")
        return self._store

    async def takes(self, source: bytes) -> None:
        """Let the service time pass that the operation takes for that picture.

        Raises:
            HTTPException: 500 out of memory, 503 or 429 when all slots and the queue are full.
        """
        await self.fake.takes(_megapixels(source))

    async def draw(self, function: Callable[..., T], *given: Any) -> T:
        """Return what a function of fakes.pictures makes of its arguments, in a thread."""
        return await asyncio.to_thread(self._memory.draw, function, *given)

    async def submit(self, uri: str, suffix: str, function: Callable[..., bytes], *given: Any) -> str:
        """Start a job that has a function draw from the blob at a URI, to be put beside it. Return its id."""
        broken: Exception | None = None
        source = b""
        try:
            source = await self.store.get(uri)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            broken = error
        try:
            ready = self.fake.work.admit(_megapixels(source))
        except OutOfMemoryError as error:  # the job is accepted, and fails
            broken, ready = HTTPException(500, str(error)), this_call().now

        async def work() -> str:
            if broken is not None:
                raise broken
            try:
                made = await self.draw(function, source, *given)
                return await self.deliver(uri, suffix, made, source)
            except PictureError as error:
                raise _refused(error) from error

        return self.fake.jobs.submit(work, ready).id

    async def poll(self, job_id: str, result: str) -> JSONResponse:
        """Return the state of a job as the caller sees it, with the URI of its result in that field.

        Raises:
            HTTPException: 404, there is no such job, or so it seems.
        """
        seen = await self.fake.jobs.poll(job_id)
        uri = seen.result
        if seen.foreign and uri:
            uri = await self.store.put(foreign(uri, this_call().key), await self.store.get(uri))
        return JSONResponse({"status": seen.status} | ({result: uri} if uri else {}))

    async def deliver(self, given: str, suffix: str, made: bytes, source: bytes) -> str:
        """Write a picture beside what it was made from, with the lies of this call's faults. Return its URI."""
        own = told = derived(given, suffix)
        for hit in this_call().hits:
            if isinstance(hit.fault, NameFault):
                told = hit.fault.named(told, given, this_call().key)
                hit.changed = True
        await self.store.put(own if told == given else told, lied(made, source))  # what was given stays as it is
        return told

    @asynccontextmanager
    async def _open(self, _: FastAPI) -> AsyncIterator[None]:
        async with open_store(self._settings) as self._store:
            yield

    async def _about(self) -> dict[str, object]:
        return {"service": self.fake.service, "fake": True}


def lied(made: bytes, source: bytes) -> bytes:
    """Return a picture that was made from its source with the lies of this call's faults."""
    for hit in this_call().hits:
        if isinstance(hit.fault, PictureFault):
            told = hit.fault.picture(made, source)
            hit.changed |= told != made
            made = told
    return made


async def _unusable(_: Request, error: Exception) -> JSONResponse:
    refused = _refused(error)
    return JSONResponse({"detail": refused.detail}, refused.status_code)


def _refused(error: Exception) -> HTTPException:
    return HTTPException(422, f"the picture cannot be used: {error}")


def _megapixels(picture: bytes) -> float:
    if not picture:
        return 0.0
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            return opened.width * opened.height / MEGAPIXEL
    except (OSError, Image.DecompressionBombError):
        return 0.0
