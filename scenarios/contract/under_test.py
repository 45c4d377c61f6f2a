"""What the checks work with: one service over HTTP, the blob store that it shares, and pictures to give it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
from fastapi import HTTPException
from PIL import Image, ImageDraw

from fakes.pictures.portrait import portrait
from fakes.settings import ServiceSettings
from fakes.storage.store import BlobStore, open_store
from scenarios import headers as names
from scenarios.contract.report import Deviation, NotLooked
from scenarios.contract.shapes import deviations

SIZE = (600, 800)
FOREGROUND = ((0.44, 0.62), (0.5, 0.66), (0.56, 0.62))
BACKGROUND = ((0.05, 0.05),)
JOB_LIMIT_S = 120.0
JOBS = "/jobs"
POLL_INTERVAL_S = 2.0


class UnderTest:
    """One service at one address. Each run has names of its own in the container, so that runs do not meet."""

    def __init__(
        self, service: str, http: httpx.AsyncClient, store: BlobStore, container: str, poll_interval: float
    ) -> None:
        self._service = service
        self._http = http
        self._store = store
        self.poll_interval = poll_interval
        self.run = f"contract-{uuid4()}"
        self._base = f"azure://{container}/{self.run}"

    def uri(self, name: str) -> str:
        """Return the URI of a blob of this run."""
        return f"{self._base}{name}"

    async def put(self, name: str, data: bytes) -> str:
        """Write a blob of this run and return its URI.

        Raises:
            NotLooked: the blob store did not take it, which says nothing of the service.
        """
        try:
            return await self._store.put(self.uri(name), data)
        except HTTPException as error:
            raise NotLooked(str(error.detail)) from error

    async def picture(self, uri: str, image_format: str) -> Image.Image:
        """Return the decoded picture at a URI that the service answered.

        Raises:
            Deviation: there is no such blob, or no complete picture of that format in it.
        """
        try:
            data = await self._store.get(uri)
        except HTTPException as error:
            raise Deviation(f"{uri}: {error.detail}") from error
        return decoded(data, image_format, uri)

    async def send(self, method: str, path: str, body: object = None, *, limit: float = 30) -> httpx.Response:
        """Send one request, as the pipeline does.

        Raises:
            Deviation: no answer within `limit` seconds.
        """
        headers = {names.WORKFLOW_ID: self.run, names.ATTEMPT: "1"}
        try:
            async with asyncio.timeout(limit):
                return await self._http.request(method, path, json=body, headers=headers)
        except (TimeoutError, httpx.TimeoutException):
            raise Deviation(f"{method} {path} did not answer within {limit:g} s") from None
        except httpx.HTTPError as error:
            raise Deviation(f"{method} {path}: {type(error).__name__} {error}".strip()) from None

    async def ask(self, method: str, path: str, body: object = None, *, limit: float = 30) -> dict[str, Any]:
        """Send one request and return its answer, which is what the service's document says.

        Raises:
            Deviation: no answer, another status than 2xx, no JSON, or another answer.
        """
        return self.answer_of(await self.send(method, path, body, limit=limit))

    def answer_of(self, response: httpx.Response) -> dict[str, Any]:
        """Return the answer of a response, which is what the service's document says.

        Raises:
            Deviation: another status than 2xx, no JSON, or another answer.
        """
        method, path = response.request.method, response.request.url.path
        if not response.is_success:
            raise Deviation(f"{method} {path} answered {response.status_code}: {response.text[:200]}")
        try:
            found = response.json(parse_constant=_no_number)
        except ValueError:
            raise Deviation(f"{method} {path} answered no JSON: {response.text[:80]!r}") from None
        template = f"{JOBS}/{{job_id}}" if path.startswith(f"{JOBS}/") else path
        if lines := deviations(self._service, method, template, found):
            raise Deviation(f"{method} {path} answered otherwise than docs/openapi/{self._service}.json says:", lines)
        answer: dict[str, Any] = found
        return answer

    async def finished(self, job_id: str) -> dict[str, Any]:
        """Poll a job until it is no longer processing, and return the last answer.

        Raises:
            Deviation: a poll deviates, or the job is not done within 120 s.
        """
        deadline = time.monotonic() + JOB_LIMIT_S
        while time.monotonic() < deadline:
            state = await self.ask("GET", f"{JOBS}/{job_id}")
            if state["status"] != "processing":
                return state
            await asyncio.sleep(self.poll_interval)
        raise Deviation(f"the job is still processing after {JOB_LIMIT_S:g} s")


@asynccontextmanager
async def under_test(
    service: str, url: str, settings: ServiceSettings, poll_interval: float = POLL_INTERVAL_S
) -> AsyncIterator[UnderTest]:
    """Open the service at this address, with the blob store that the settings name.

    Raises:
        ValueError: the settings do not name one.
    """
    async with (
        open_store(settings) as store,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=None) as http,  # noqa: S113 - each call has a limit
    ):
        yield UnderTest(service, http, store, settings.azure_container, poll_interval)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def decoded(data: bytes, image_format: str, what: str) -> Image.Image:
    """Decode a picture to its end.

    Raises:
        Deviation: it is not a complete picture of that format.
    """
    try:
        image = Image.open(BytesIO(data))
        image.load()
    except (OSError, SyntaxError) as error:
        raise Deviation(f"{what} is no complete picture: {error}") from None
    if image.format != image_format:
        raise Deviation(f"{what} is {image.format} instead of {image_format}")
    return image


def photo(size: tuple[int, int] = SIZE) -> bytes:
    """Draw the JPEG that services are given."""
    return portrait(*size, seed=1)


def mask() -> bytes:
    """Draw a mask for the photo: an ellipse where a necklace would be."""
    image = Image.new("L", SIZE)
    width, height = SIZE
    ImageDraw.Draw(image).ellipse((0.38 * width, 0.56 * height, 0.62 * width, 0.68 * height), fill=255)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def inside(image: Image.Image, point: tuple[float, float]) -> bool:
    """Say whether a mask is foreground at a point in shares of width and height."""
    pixel = (min(int(point[0] * image.width), image.width - 1), min(int(point[1] * image.height), image.height - 1))
    value = image.convert("L").getpixel(pixel)
    return isinstance(value, int | float) and value >= 128
