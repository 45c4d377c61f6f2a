"""The network seams in simulation: requests carry the caller's virtual time, answers say how long they claim to take.

The wire between the simulation and the fakes is four headers. `X-Sim-Time` (request): the caller's time in Unix
seconds. `X-Sim-Elapsed` (answer): the seconds that this answer takes, or `inf` for one that never comes.
`X-Sim-Longest-Pause` (answer): the longest silence in an answer that comes in pieces, which a read timeout counts.
`X-Sim-Fault: refuse` (answer): nobody would have listened. Nothing waits: the claimed seconds move the caller's clock,
and what would have ended the wait in real time (a read timeout, a deadline) ends it here.

Outside an attempt, in the gateway, requests pass unchanged and take real time.
"""

from collections.abc import Mapping
from enum import Enum
from math import inf
from typing import Any, Self

import httpx
from azure.core.exceptions import ServiceRequestError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport

from scenarios import headers as names
from scenarios.world.virtual_clock import AttemptClock, attempt_clock


def claimed_seconds(clock: AttemptClock, headers: Mapping[str, str], name: str) -> float:
    """Return the seconds that an answer claims in a header, 0 without it.

    Raises:
        SimulationError: it is not a number of seconds.
    """
    try:
        seconds = float(headers.get(name) or 0)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise clock.untrue(f"a fake answered {name}: {headers.get(name)!r}; seconds or inf are expected")
    return seconds


class Fate(Enum):
    """What becomes of a call once its claimed time is taken."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed out"


async def fate_of(clock: AttemptClock, headers: Mapping[str, str], read_timeout: float | None) -> Fate:
    """Take the time that an answer claims, at most the read timeout, and say what the caller sees of it."""
    if headers.get(names.FAULT) == names.REFUSE:
        return Fate.REFUSED
    claimed = claimed_seconds(clock, headers, names.ELAPSED)
    silent = claimed_seconds(clock, headers, names.LONGEST_PAUSE) if names.LONGEST_PAUSE in headers else claimed
    limit = inf if read_timeout is None else read_timeout
    if silent > limit:
        await clock.advance(limit)
        return Fate.TIMED_OUT
    await clock.advance(claimed)
    return Fate.ANSWERED


class VirtualTransport(httpx.AsyncBaseTransport):
    """The httpx transport of the service clients: real HTTP to the fakes, in virtual time."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request with the caller's time; take the time that the answer claims.

        Raises:
            httpx.ConnectError: the fake plays a service that is down.
            httpx.ReadTimeout: the answer claims more than the request's read timeout.
        """
        clock = attempt_clock()
        if clock is None:
            return await self._inner.handle_async_request(request)
        request.headers[names.TIME] = repr(clock.now())
        response = await self._inner.handle_async_request(request)
        fate = None
        try:
            read_timeout: float | None = request.extensions.get("timeout", {}).get("read")
            fate = await fate_of(clock, response.headers, read_timeout)
        finally:
            if fate is not Fate.ANSWERED:
                await response.aclose()  # or the pool runs dry, one connection for each fault
        if fate is Fate.REFUSED:
            raise httpx.ConnectError("Connection refused", request=request)
        if fate is Fate.TIMED_OUT:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class VirtualBlobTransport(AsyncHttpTransport[Any, Any]):
    """The azure-core transport of the blob client, in virtual time. Without a rule, Azure takes no virtual time."""

    def __init__(self, inner: AsyncHttpTransport[Any, Any] | None = None, *, read_timeout: float = 30) -> None:
        self._inner = inner or AioHttpTransport()
        self._read_timeout = read_timeout

    async def send(self, request: Any, **options: Any) -> Any:
        """Send the request with the caller's time; take the time that the answer claims.

        Raises:
            ServiceRequestError: the proxy plays a store that is down.
            ServiceResponseTimeoutError: the answer claims more than the read timeout.
        """
        clock = attempt_clock()
        if clock is None:
            return await self._inner.send(request, **options)
        request.headers[names.TIME] = repr(clock.now())
        read_timeout = options.get("read_timeout", self._read_timeout)
        response = await self._inner.send(request, **options)
        fate = None
        try:
            fate = await fate_of(clock, response.headers, read_timeout)
        finally:
            if fate is not Fate.ANSWERED:
                response.internal_response.close()
        if fate is Fate.REFUSED:
            raise ServiceRequestError("Connection refused")
        if fate is Fate.TIMED_OUT:
            raise ServiceResponseTimeoutError("Timeout on reading data from socket")
        return response

    async def open(self) -> None:
        """Open the connections."""
        await self._inner.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._inner.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()
