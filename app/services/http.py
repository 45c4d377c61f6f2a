"""JSON over HTTP to one outside service: deadline, limits of size and structure, validation, its own errors."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.errors.services import ServiceErrors
from app.json_limits import has_more_structure
from app.services.retry_after import seconds_to_wait

CONNECT_TIMEOUT = 5.0

MAX_STRUCTURE = 10_000
"""Brackets and commas in an answer. The largest specified one has some 40; four megabytes of `[]` take a gigabyte."""

_TRANSIENT_4XX = {408, 425, 429}


class Answer(BaseModel):
    """Base of what services answer: exact types, unknown fields tolerated, no NaN."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


AnswerT = TypeVar("AnswerT", bound=Answer)


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the one client that all services share. Deadlines are the callers'; only connecting has its own limit."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    return httpx.AsyncClient(
        transport=transport or httpx.AsyncHTTPTransport(limits=limits),
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        follow_redirects=False,
        trust_env=False,
        # None is kept: it would come back with each call, and services on one host would see each other's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


class ServiceClient:
    """Calls one service at one address."""

    def __init__(self, http: httpx.AsyncClient, url: str, errors: ServiceErrors) -> None:
        """Keep the shared client, the service's base address and its errors."""
        self._http = http
        self._url = url
        self.errors = errors

    async def call(
        self,
        attempt: Attempt,
        method: str,
        path: str,
        answer: type[AnswerT],
        *,
        body: Answer | dict[str, object] | None = None,
        deadline: Deadline | None = None,
        max_bytes: int = 1024 * 1024,
        not_found: type[PipelineError] | None = None,
        costs_gpu: bool = False,
    ) -> AnswerT:
        """Send one request and return its validated answer.

        Args:
            attempt: whose call it is; also the deadline, unless `deadline` gives a sooner one.
            method: the HTTP method.
            path: the path under the service's address.
            answer: the model that the answer must fit.
            body: what is sent as JSON.
            deadline: a deadline for the whole call.
            max_bytes: a longer answer is refused without being read to its end.
            not_found: the error for a 404, where it means more than a refusal.
            costs_gpu: another attempt would have the GPU work once more. It is not made after an answer of another
                shape, which the service would give again; one that is broken or holds impossible values may be chance.

        Raises:
            PipelineError: one of the service's errors. The message names neither address nor content.
        """
        name = self.errors.service
        async with (deadline or attempt.deadline).limit(lambda: self.errors.timeout(f"{name} did not answer in time")):
            try:
                request = self._http.build_request(method, self._url + path, json=body, headers=attempt.headers)
                response = await self._http.send(request, stream=True)
                try:
                    content = await self._read(response, max_bytes)
                finally:
                    await response.aclose()
            except httpx.TimeoutException as error:
                raise self.errors.timeout(f"{name} did not answer in time") from error
            except httpx.HTTPError as error:
                raise self.errors.unavailable(f"{name} could not be reached, or broke the connection") from error
        self._check_status(response, not_found)
        if has_more_structure(content, MAX_STRUCTURE):
            raise self.errors.bad_answer(f"{name} answered with more structure than any answer has")
        try:
            return answer.model_validate_json(content)
        except ValidationError as error:
            final = costs_gpu and _has_another_shape(error)
            raise self.errors.bad_answer(f"{name} answered {_first_problem(error)}", final=final) from None

    async def _read(self, response: httpx.Response, max_bytes: int) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > max_bytes:
                raise self.errors.bad_answer(f"{self.errors.service} answered with more than {max_bytes} bytes")
        return bytes(content)

    def _check_status(self, response: httpx.Response, not_found: type[PipelineError] | None) -> None:
        status = response.status_code
        what = f"{self.errors.service} answered with status {status}"
        if status == 404 and not_found is not None:
            raise not_found(what)
        if status >= 500 or status in _TRANSIENT_4XX:
            raise self.errors.unavailable(what, retry_after=seconds_to_wait(response.headers.get("Retry-After")))
        if status >= 400:
            raise self.errors.rejected(what)
        if status >= 300:
            raise self.errors.bad_answer(f"{what}, a redirect, which is not followed")


def _has_another_shape(error: ValidationError) -> bool:
    """Say whether a field is not there or of another type. Null where it must not be is a value that went missing."""
    problems = error.errors(include_url=False, include_context=False)
    return any(
        problem["type"] == "missing" or (problem["type"].endswith("_type") and problem["input"] is not None)
        for problem in problems
    )


def _first_problem(error: ValidationError) -> str:
    """Say what is wrong with an answer without repeating any of it."""
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "json_invalid":
        return "with something that is not JSON"
    return f"with {problem['type'].replace('_', ' ')} at {where or 'the top'}"
