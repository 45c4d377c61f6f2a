"""JSON over HTTP to one outside service: deadline, limits of size and structure, validation, its own errors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.errors.services import ServiceErrors
from app.json_limits import has_more_structure
from app.pipeline.policies import RETRY_AFTER_LIMIT
from app.process.proxy import proxy_for
from app.services.excerpt import excerpt, reason

CONNECT_TIMEOUT = 5.0

MAX_STRUCTURE = 10_000
"""Brackets and commas in an answer. The largest specified one has some 40; four megabytes of `[]` take a gigabyte."""

MAX_PING_BYTES = 64 * 1024

MAX_HOPS = 20
"""So many 303 in a row are followed."""

_TRANSIENT_4XX = {408, 425, 429}


class ServiceAnswer(BaseModel):
    """Base of what services answer: exact types, unknown fields tolerated, no NaN."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


AnswerT = TypeVar("AnswerT", bound=ServiceAnswer)


def production_transport() -> httpx.AsyncBaseTransport:
    """Return what reaches the services, each directly or by the proxy that the environment names for it."""
    return _Transport()


class _Transport(httpx.AsyncBaseTransport):
    """Holds as many connections as there are calls, and keeps 100 idle ones, for each proxy and without one."""

    def __init__(self) -> None:
        self._proxies: dict[tuple[str, str, int | None], str | None] = {}
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = (request.url.scheme, request.url.host, request.url.port)
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(str(request.url))
        proxy = self._proxies[origin]
        if proxy not in self._transports:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
            self._transports[proxy] = httpx.AsyncHTTPTransport(limits=limits, proxy=proxy)
        return await self._transports[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


def http_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the one client that all services share. Deadlines are the callers'; only connecting has its own limit."""
    return httpx.AsyncClient(
        transport=transport or production_transport(),
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
        follow_redirects=False,
        # None is kept: it would come back with each call, and services on one host would see each other's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


class _Reply(NamedTuple):
    status: int
    headers: httpx.Headers
    content: bytes


def _elsewhere(request: httpx.Request, response: httpx.Response) -> httpx.URL | None:
    """Return where the answer to a call is to be fetched, by a 303 to the same host; another host is nobody's service.

    So hosts keep a call of minutes alive: Modal answers 303, with a token for the same call, after 150 s.
    """
    if response.status_code != 303:
        return None
    try:
        place = request.url.join(response.headers.get("Location", ""))
    except httpx.InvalidURL:
        return None
    same = (place.scheme, place.host, place.port) == (request.url.scheme, request.url.host, request.url.port)
    return place if same and "Location" in response.headers else None


class ServiceClient:
    """Calls one service at one address."""

    def __init__(self, http: httpx.AsyncClient, url: str, errors: ServiceErrors) -> None:
        """Keep the shared client, the service's base address and its errors."""
        self._http = http
        self.url = url
        self.errors = errors

    async def call(
        self,
        attempt: Attempt,
        method: str,
        path: str,
        answer: type[AnswerT],
        *,
        body: ServiceAnswer | dict[str, object] | None = None,
        deadline: Deadline | None = None,
        max_bytes: int = 1024 * 1024,
        headers: Mapping[str, str] | None = None,
        not_found: type[PipelineError] | None = None,
        accepted: AnswerT | None = None,
        costs_gpu: bool = False,
    ) -> AnswerT:
        """Send one request as a part of an attempt, and return its validated answer.

        Args:
            attempt: whose call it is; also the deadline, unless `deadline` gives a sooner one.
            method: the HTTP method.
            path: the path under the service's address.
            answer: the model that the answer must fit.
            body: what is sent as JSON.
            deadline: a deadline for the whole call.
            max_bytes: a longer answer is refused without being read to its end.
            headers: what is sent beside the attempt's own.
            not_found: the error for a 404, where it means more than a refusal.
            accepted: what a 202 says that is no such answer, where it means more than a broken one.
            costs_gpu: another attempt would have the GPU work once more. It is not made after an answer of another
                shape, which the service would give again; one that is broken or holds impossible values may be chance.

        Raises:
            PipelineError: one of the service's errors. The message names neither address nor content.
        """
        reply = await self._ask(
            method,
            path,
            deadline or attempt.deadline,
            body=body,
            headers=attempt.headers | dict(headers or {}),
            max_bytes=max_bytes,
        )
        self._check_status(reply, not_found)
        if reply.status == 202 and accepted is not None:
            try:
                return self._validated(reply.content, answer)
            except self.errors.bad_answer:
                return accepted
        return self._validated(reply.content, answer, costs_gpu=costs_gpu)

    async def ask(self, path: str, answer: type[AnswerT], deadline: Deadline) -> AnswerT:
        """GET something for nobody's try-on, and return its validated answer.

        Raises:
            PipelineError: one of the service's errors, as above.
        """
        reply = await self._ask("GET", path, deadline, max_bytes=MAX_PING_BYTES)
        self._check_status(reply, None)
        return self._validated(reply.content, answer)

    async def ping(self, deadline: Deadline) -> None:
        """See whether the service is there. None has a specified way to ask: any answer below 500 is a sign of life.

        Raises:
            PipelineError: nobody answers, or with a 5xx, or it is the host that does and it has no such app.
        """
        reply = await self._ask("GET", "/", deadline, max_bytes=MAX_PING_BYTES, cut=True)
        if reply.status >= 500 or _of_a_host(reply):
            self._check_status(reply, None)

    async def _ask(
        self,
        method: str,
        path: str,
        deadline: Deadline,
        *,
        body: ServiceAnswer | dict[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        cut: bool = False,
    ) -> _Reply:
        """Send a request, and return what came. `cut` leaves off what is too long."""
        name = self.errors.service
        async with deadline.limit(lambda: self.errors.timeout(f"{name} did not answer in time")):
            try:
                request = self._http.build_request(method, self.url + path, json=body, headers=headers)
                for _ in range(1 + MAX_HOPS):
                    response = await self._http.send(request, stream=True)
                    try:
                        content = await self._content(response, max_bytes, cut=cut)
                    finally:
                        await response.aclose()
                    goes_on = _elsewhere(request, response)
                    if goes_on is None:
                        break
                    request = self._http.build_request("GET", goes_on, headers=headers)
            except httpx.TimeoutException as error:
                raise self.errors.timeout(f"{name} did not answer in time", said=reason(error)) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                message = f"{name} could not be reached, or broke the connection"
                raise self.errors.unavailable(message, said=reason(error)) from error
        return _Reply(response.status_code, response.headers, content)

    async def _content(self, response: httpx.Response, max_bytes: int, *, cut: bool) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > max_bytes:
                if cut:
                    break
                raise self.errors.bad_answer(f"{self.errors.service} answered with more than {max_bytes} bytes")
        return bytes(content[:max_bytes])

    def _check_status(self, reply: _Reply, not_found: type[PipelineError] | None) -> None:
        status = reply.status
        if status < 300:
            return
        what = f"{self.errors.service} answered with status {status}"
        said = excerpt(reply.content)
        if _of_a_host(reply):
            message = f"{self.errors.service} is not there: its host knows no such app"
            raise self.errors.unavailable(message, said=said, status=status, no_such_app=True)
        if status == 404 and not_found is not None:
            raise not_found(what, said=said)
        if status >= 500 or status in _TRANSIENT_4XX:
            wait = seconds_to_wait(reply.headers.get("Retry-After"))
            raise self.errors.unavailable(what, retry_after=wait, said=said, status=status)
        if status >= 400:
            raise self.errors.rejected(what, said=said)
        raise self.errors.bad_answer(f"{what}, a redirect to another address, which is not followed")

    def _validated(self, content: bytes, answer: type[AnswerT], *, costs_gpu: bool = False) -> AnswerT:
        name = self.errors.service
        if has_more_structure(content, MAX_STRUCTURE):
            raise self.errors.bad_answer(f"{name} answered with more structure than any answer has")
        try:
            return answer.model_validate_json(content)
        except ValidationError as error:
            final = costs_gpu and _has_another_shape(error)
            problem = f"{name} answered {_first_problem(error)}"
            raise self.errors.bad_answer(problem, final=final, said=excerpt(content)) from None


def _of_a_host(reply: _Reply) -> bool:
    """Say whether a 404 is that of a host which has no such app: a text, where an app gives JSON, or nothing."""
    content = reply.content.strip()
    return reply.status == 404 and bool(content) and not content.startswith(b"{")


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


def seconds_to_wait(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most RETRY_AFTER_LIMIT; None without a usable one."""
    if not header:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _until(header)
    except (ValueError, OverflowError):  # the latter for a date beyond what Python can count
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _until(http_date: str) -> float:
    moment = parsedate_to_datetime(http_date)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
