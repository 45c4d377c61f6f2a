"""The A100 server: paints strokes into masks and makes the final pictures. There may be several addresses for it.

The first known address that answers /health as online is used. An error while it stays online is the retry policy's
business; when it went away, the next address is tried within the same attempt. When none is online, what is final is
that all are offline: unreachable, or saying something else than `online`. One that is too slow or too busy to say (429,
5xx, a connection that breaks) may be well at the next attempt.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import httpx
from pydantic import AfterValidator, Field

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors.services import (
    A100_ERRORS,
    A100BadAnswerError,
    A100Error,
    A100RejectedError,
    A100TimeoutError,
    A100UnavailableError,
)
from app.pipeline.models import Stroke
from app.services.excerpt import excerpt, root_cause
from app.services.http import ServiceAnswer, ServiceClient

HEALTH_DEADLINE = 3.0
"""Seconds for one question after a server's health."""

HEALTH_AFTER_FAILURE = 9.0
"""Seconds for all questions after a call has failed; with the step's deadline, under its start_to_close."""

GENERATED_MAX_BYTES = 64 * 1024 * 1024
"""The largest answer of /generate: four pictures in base64."""

FLOAT_NOISE = 1e-6
"""How far a share may lie outside of 0 to 1: sums of 32-bit floats are off by less."""


def _without_noise(value: float) -> float:
    return min(max(value, 0.0), 1.0) if -FLOAT_NOISE <= value <= 1 + FLOAT_NOISE else value


def _not_below_zero(value: float) -> float:
    return 0.0 if -FLOAT_NOISE <= value < 0 else value


Share = Annotated[float, AfterValidator(_without_noise), Field(ge=0, le=1)]
AnswerT = TypeVar("AnswerT", bound=ServiceAnswer)


class A100Health(ServiceAnswer):
    """GET /health (specification, A100 Server)."""

    status: str


class RefineAnswer(ServiceAnswer):
    """POST /refine_mask (specification, A100 Server)."""

    refined_mask_uri: str


class MetricsAnswer(ServiceAnswer):
    """How the drawn jewellery agrees with the mask."""

    precision: Share
    recall: Share
    iou: Share
    growth_ratio: Annotated[float, AfterValidator(_not_below_zero), Field(ge=0)]


class GenerateAnswer(ServiceAnswer):
    """POST /generate (specification, A100 Server). Pictures are base64 JPEG; what is not there is null, or left out."""

    result_base64: str
    result_gemini_base64: str | None = None
    fidelity_viz_base64: str | None = None
    fidelity_viz_gemini_base64: str | None = None
    metrics: MetricsAnswer
    metrics_gemini: MetricsAnswer | None = None


class A100:
    """Client of whichever A100 server is online."""

    def __init__(self, http: httpx.AsyncClient, urls: tuple[str, ...]) -> None:
        """Keep the shared client, and the known addresses in the order in which they are tried."""
        self._servers = [ServiceClient(http, url, A100_ERRORS) for url in urls]
        self.errors = A100_ERRORS

    async def ping(self, deadline: Deadline) -> None:
        """See whether one of the servers is online: all are asked, side by side.

        Raises:
            A100Error: none is; a time-out, when one may only be slow.
        """
        asked = (self._trouble(server.ask("/health", A100Health, deadline)) for server in self._servers)
        troubles = await asyncio.gather(*asked)
        if all(trouble is not None for trouble in troubles):
            raise max((trouble for trouble in troubles if trouble), key=lambda one: isinstance(one, A100TimeoutError))

    async def refine_mask(self, attempt: Attempt, image_uri: str, mask_uri: str, strokes: list[Stroke]) -> RefineAnswer:
        """Have the strokes painted into the mask."""
        body: dict[str, object] = {
            "image_uri": image_uri,
            "mask_uri": mask_uri,
            "strokes": [stroke.model_dump(mode="json") for stroke in strokes],
        }
        return await self._call(attempt, "/refine_mask", RefineAnswer, body, max_bytes=1024 * 1024)

    async def generate(self, attempt: Attempt, image_uri: str, mask_uri: str) -> GenerateAnswer:
        """Have the final pictures made."""
        body: dict[str, object] = {"image_uri": image_uri, "mask_uri": mask_uri}
        return await self._call(attempt, "/generate", GenerateAnswer, body, max_bytes=GENERATED_MAX_BYTES)

    async def _call(
        self, attempt: Attempt, path: str, answer: type[AnswerT], body: dict[str, object], *, max_bytes: int
    ) -> AnswerT:
        asking = attempt.deadline
        troubles: list[A100Error] = []
        for server in self._servers:
            if trouble := await self._trouble(self._health(server, attempt, asking)):
                troubles.append(trouble)
                continue
            try:
                return await server.call(attempt, "POST", path, answer, body=body, max_bytes=max_bytes, costs_gpu=True)
            except (A100RejectedError, A100BadAnswerError):
                raise
            except A100Error as failure:
                asking = Deadline(HEALTH_AFTER_FAILURE)
                trouble = await self._trouble(self._health(server, attempt, asking))
                if trouble is None:
                    raise
                troubles.append(trouble if trouble.final else failure)
        raise next((trouble for trouble in troubles if not trouble.final), _offline())

    async def _health(self, server: ServiceClient, attempt: Attempt, asking: Deadline) -> A100Health:
        return await server.call(attempt, "GET", "/health", A100Health, deadline=asking.sooner(HEALTH_DEADLINE))

    async def _trouble(self, asked: Awaitable[A100Health]) -> A100Error | None:
        """Say why a server is not to be asked; None when it is online. The trouble of one that is offline is final."""
        try:
            health = await asked
        except (A100RejectedError, A100BadAnswerError) as error:
            return _offline(error.said)  # whatever listens there, it is no A100 that is ready
        except A100Error as error:
            return _offline(error.said) if _nobody_listens(error.__cause__) else error
        return None if health.status == "online" else _offline(f"says that it is {excerpt(health.status)}")


def _nobody_listens(cause: BaseException | None) -> bool:
    """Whether a connection was refused. A name that is not found now, or TLS that fails, says nothing of the server."""
    return isinstance(cause, httpx.ConnectError) and not isinstance(root_cause(cause), socket.gaierror | ssl.SSLError)


def _offline(said: str | None = None) -> A100UnavailableError:
    return A100UnavailableError("A100 server is offline", said=said)
