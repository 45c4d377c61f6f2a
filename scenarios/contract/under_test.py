"""What the checks work with: one service over HTTP, and the blob store that it shares."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

import httpx
from fastapi import HTTPException
from PIL import Image

from app.services.excerpt import reason
from app.services.http import production_transport
from fakes.settings import ServiceSettings
from fakes.storage.store import BlobStore, open_store
from scenarios import headers as names
from scenarios.contract.pictures import decoded
from scenarios.contract.report import Deviation, NotLooked
from scenarios.contract.shapes import deviations

JOB_LIMIT_S = 120.0
JOBS = "/jobs"
POLL_INTERVAL_S = 2.0
MAX_HOPS = 20
NOT_NOW = frozenset({408, 425, 429})
"""Statuses that say nothing of what was asked for: it is to be asked for again."""
SHARES = frozenset({"precision", "recall", "iou"})
FLOAT_NOISE = 1e-6


class UnderTest:
    """One service at one address. Each run has names of its own in the container, so that runs do not meet."""

    def __init__(
        self,
        service: str,
        http: httpx.AsyncClient,
        store: BlobStore,
        container: str,
        poll_interval: float,
        *,
        takes: Callable[[str], None],
    ) -> None:
        """Keep the parts. `takes` is told what is not as specified, and taken by the pipeline all the same."""
        self.takes = takes
        self._service = service
        self._http = http
        self._store = store
        self.poll_interval = poll_interval
        self.run = f"contract-{uuid4()}"
        self._container = f"azure://{container}/"
        self._base = f"{self._container}{self.run}"

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
        named = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}.get(PurePosixPath(uri).suffix.lower(), image_format)
        if named != image_format:
            self.takes(f"{uri} is {named} instead of {image_format}, as its name says")
        return decoded(data, named, uri)

    def mask(self, image: Image.Image) -> Image.Image:
        """Return a mask as everybody reads it, 0 and 255: some write 0 and 1."""
        plain = image.convert("L")
        if plain.getextrema() != (0, 1):
            return plain
        self.takes("a mask of the values 0 and 1")
        return plain.point(lambda value: value * 255)

    def is_in_the_container(self, uri: str) -> bool:
        """Say whether a URI leads into the container that the services share."""
        return uri.startswith(self._container)

    async def is_there(self) -> None:
        """See whether the service is reached, and not only a host that has no such app.

        Raises:
            Deviation: it is not.
        """
        response = await self.send("GET", "/")
        if _of_a_host(response):
            raise Deviation(f"its host has no such app: {response.text[:200]}")

    async def send(self, method: str, path: str, body: object = None, *, limit: float = 30) -> httpx.Response:
        """Send one request, as the pipeline does: a 303 to the same host is followed.

        Raises:
            Deviation: no answer within `limit` seconds, or a redirect to another address.
        """
        headers = {names.WORKFLOW_ID: self.run, names.ATTEMPT: "1"}
        asked = response = None
        try:
            async with asyncio.timeout(limit):
                for _ in range(MAX_HOPS):
                    step = ("GET", response.headers["Location"], None) if response else (method, path, body)
                    response = await self._http.request(step[0], step[1], json=step[2], headers=headers)
                    asked = asked or response.request
                    if not response.has_redirect_location:
                        break
                    place = response.url.join(response.headers["Location"])
                    if response.status_code != 303 or place.netloc != response.url.netloc:
                        what = f"{response.status_code}, a redirect to {place}, which the pipeline does not follow"
                        raise Deviation(f"{method} {path} answered {what}")
                    self.takes(f"{method} {path} answers 303 to the same host")
        except (TimeoutError, httpx.TimeoutException):
            raise Deviation(f"{method} {path} did not answer within {limit:g} s") from None
        except httpx.HTTPError as error:
            raise Deviation(f"{method} {path}: {type(error).__name__}: {reason(error)}") from None
        assert response is not None
        assert asked is not None
        response.request = asked
        return response

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
        if isinstance(found, dict):
            found = {name: self._without_noise(value) for name, value in found.items()}
        template = f"{JOBS}/{{job_id}}" if path.startswith(f"{JOBS}/") else path
        if lines := deviations(self._service, method, template, found):
            raise Deviation(f"{method} {path} answered otherwise than docs/openapi/{self._service}.json says:", lines)
        answer: dict[str, Any] = found
        return answer

    def _without_noise(self, metrics: Any) -> Any:
        """Return metrics whose shares are at most 1: sums of 32-bit floats are off by less than a millionth."""
        if not isinstance(metrics, dict):
            return metrics
        noisy = {
            name: value
            for name, value in metrics.items()
            if name in SHARES and isinstance(value, float) and 1 < value <= 1 + FLOAT_NOISE
        }
        for name, value in noisy.items():
            self.takes(f"{name} is {value}")
        return metrics | dict.fromkeys(noisy, 1.0)

    async def finished(self, job_id: str, field: str) -> dict[str, Any]:
        """Poll a job until it has ended, and return the last answer; `field` is where its result stands.

        What the pipeline waits out is waited out: polls that fail, 202s, and words for a status that nobody specified.

        Raises:
            Deviation: a poll deviates, or the job is not done within 120 s.
        """
        deadline = time.monotonic() + JOB_LIMIT_S
        trouble = "it is still processing"
        while time.monotonic() < deadline:
            response = await self.send("GET", f"{JOBS}/{job_id}")
            if response.status_code >= 500 or _of_a_host(response) or response.status_code in NOT_NOW:
                trouble = f"a poll fails with {response.status_code}"
                self.takes(f"{trouble}, and is made again")
            elif response.status_code == 202 and not _states(response):
                self.takes("a poll is answered 202 without a status: the job goes on")
            else:
                state = self._state(response, field)
                if state["status"] != "processing":
                    return state
            await asyncio.sleep(self.poll_interval)
        raise Deviation(f"the job has not ended after {JOB_LIMIT_S:g} s: {trouble}")

    def _state(self, response: httpx.Response, field: str) -> dict[str, Any]:
        found = _states(response)
        word = found.get("status")
        if isinstance(word, str) and word not in {"processing", "completed", "failed"}:
            ended = isinstance(found.get(field), str)
            self.takes(f"{word!r} for a status, {'with a result' if ended else 'without one: the job goes on'}")
            found = found | {"status": "completed" if ended else "processing"}
            if not deviations(self._service, "GET", f"{JOBS}/{{job_id}}", found):
                return found
        return self.answer_of(response)


@asynccontextmanager
async def under_test(
    service: str, url: str, settings: ServiceSettings, poll_interval: float, takes: Callable[[str], None]
) -> AsyncIterator[UnderTest]:
    """Open the service at this address, with the blob store that the settings name.

    Raises:
        ValueError: the settings do not name one.
    """
    async with (
        open_store(settings) as store,
        httpx.AsyncClient(base_url=url, transport=production_transport(), timeout=None) as http,  # noqa: S113 - each call has a limit
    ):
        yield UnderTest(service, http, store, settings.azure_container, poll_interval, takes=takes)


def says_nothing_of_it(response: httpx.Response) -> None:
    """Leave a line out whose answer is the host's, or about load: it is none about what was asked for.

    Raises:
        NotLooked: it is so.
    """
    if _of_a_host(response) or response.status_code in NOT_NOW or response.status_code in {502, 503, 504}:
        raise NotLooked(f"it answered {response.status_code}: {response.text[:200]}")


def _of_a_host(response: httpx.Response) -> bool:
    """Say whether a 404 is that of a host which has no such app: a text, where an app gives JSON, or nothing."""
    text = response.text.strip()
    return response.status_code == 404 and bool(text) and not text.startswith("{")


def _states(response: httpx.Response) -> dict[str, Any]:
    """Return what a poll says, if it is an object with a status."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "status" in found else {}


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
