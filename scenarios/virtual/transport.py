"""The httpx transport for fakes that have no clock: they answer as of the caller's time, and claim what a call takes.

The names on the wire are in `headers`. A fake is told the workflow and the attempt too, where the application does not
say them itself. Outside a story requests pass unchanged and take real time.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any

import httpx
from temporalio import activity

from .. import headers as names
from .errors import VirtualTimeError
from .loop import counted_chunks, real_io
from .story import current


class RefusedError(Exception):
    """The fake plays a service that does not listen."""


class UnresolvedError(Exception):
    """The fake plays a service whose name is not found. Its cause is what the resolver says."""


class UnreachableError(Exception):
    """The fake plays a service that cannot be connected to, and the connect timeout has passed."""


class SilentError(Exception):
    """The fake claims a silence that outlasts the read timeout, which has passed."""


def caller_time() -> str | None:
    """Return what `X-Sim-Time` says: the caller's time in Unix seconds; None outside a story."""
    story = current.get()
    return repr(story.base + story.now) if story else None


async def take_claimed_time(
    headers: Mapping[str, str], read_timeout: float | None, connect_timeout: float | None
) -> None:
    """Let the time pass that an answer claims.

    Args:
        headers: of the answer.
        read_timeout: of the caller's library, in seconds.
        connect_timeout: the same, for the time that a connection takes.

    Raises:
        RefusedError: nobody would have listened.
        UnresolvedError: the name would not have been found.
        UnreachableError: no connection would have come about until the connect timeout, which has passed.
        SilentError: the read timeout has passed first.
        VirtualTimeError: a header is not a number of seconds.
    """
    if headers.get(names.FAULT) == names.REFUSE:
        raise RefusedError
    if headers.get(names.FAULT) == names.DNS:
        raise UnresolvedError from socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if headers.get(names.FAULT) == names.UNREACHABLE:
        await asyncio.sleep(inf if connect_timeout is None else connect_timeout)
        raise UnreachableError
    claimed = _seconds(headers, names.ELAPSED)
    silent = _seconds(headers, names.LONGEST_PAUSE) if names.LONGEST_PAUSE in headers else claimed
    limit = inf if read_timeout is None else read_timeout
    if silent > limit:
        await asyncio.sleep(limit)
        raise SilentError
    await asyncio.sleep(claimed)


def _seconds(headers: Mapping[str, str], name: str) -> float:
    try:
        seconds = float(headers.get(name) or 0)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise VirtualTimeError(f"a fake answered {name}: {headers.get(name)!r}; seconds or inf are expected")
    return seconds


class VirtualTransport(httpx.AsyncBaseTransport):
    """Real HTTP to fakes, in virtual time, under the timeouts of the client's own.

    Args:
        inner: what sends; httpx's own without it.
        clock: says what time it is for the caller, as `caller_time` does.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport | None = None, *, clock: Callable[[], str | None] = caller_time
    ) -> None:
        self._inner, self._clock = inner or httpx.AsyncHTTPTransport(), clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the caller's time; take the time that the answer claims.

        Raises:
            httpx.ConnectError: the fake plays a service that is down, or whose name is not found.
            httpx.ConnectTimeout: it plays one to which no connection comes about.
            httpx.ReadTimeout: the answer claims more than the request's read timeout.
        """
        return await _in_virtual_time(request, self._inner.handle_async_request, self._clock())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@contextmanager
def httpx_in_virtual_time() -> Iterator[None]:
    """Let every asynchronous client of httpx do so, wherever it is made: for code that takes no transport."""
    plain = httpx.AsyncHTTPTransport.handle_async_request

    async def handle(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return await _in_virtual_time(request, partial(plain, self), caller_time())

    httpx.AsyncHTTPTransport.handle_async_request = handle  # type: ignore[method-assign]
    try:
        yield
    finally:
        httpx.AsyncHTTPTransport.handle_async_request = plain  # type: ignore[method-assign]


async def _in_virtual_time(
    request: httpx.Request, send: Callable[[httpx.Request], Awaitable[httpx.Response]], now: str | None
) -> httpx.Response:
    if now is None or names.TIME in request.headers:  # outside a story, or a transport around this one does it
        return await send(request)
    request.headers[names.TIME] = now
    if activity.in_activity():
        info = activity.info()
        request.headers.setdefault(names.WORKFLOW_ID, info.workflow_id or "")
        request.headers.setdefault(names.ATTEMPT, str(info.attempt))
    what = f"an answer of {request.url.host}:{request.url.port or request.url.scheme}"
    with real_io(what):
        response = await send(request)
    response.stream = _CountedStream(response.stream, what)
    try:
        timeouts = request.extensions.get("timeout", {})
        await take_claimed_time(response.headers, timeouts.get("read"), timeouts.get("connect"))
    except BaseException as error:
        with real_io(what):
            await response.aclose()  # or the pool runs dry, one connection for each fault
        if isinstance(error, RefusedError):
            raise httpx.ConnectError("Connection refused", request=request) from None
        if isinstance(error, UnresolvedError):
            raise httpx.ConnectError(str(error.__cause__), request=request) from error.__cause__
        if isinstance(error, UnreachableError):
            raise httpx.ConnectTimeout("The connect operation timed out", request=request) from None
        if isinstance(error, SilentError):
            raise httpx.ReadTimeout("The read operation timed out", request=request) from None
        raise
    return response


class _CountedStream(httpx.AsyncByteStream):
    def __init__(self, inner: Any, what: str) -> None:
        self._inner, self._what = inner, what

    def __aiter__(self) -> AsyncIterator[bytes]:
        return counted_chunks(aiter(self._inner), self._what)

    async def aclose(self) -> None:
        with real_io(self._what):
            await self._inner.aclose()
