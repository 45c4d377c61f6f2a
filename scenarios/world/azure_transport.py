"""The transport of the blob client in virtual time. Without a rule, Azure takes no virtual time."""

from collections.abc import Callable
from typing import Any

from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseTimeoutError

from app.services.blob_transport import BlobTransport
from scenarios.headers import TIME
from scenarios.virtual import (
    RefusedError,
    SilentError,
    UnreachableError,
    UnresolvedError,
    caller_time,
    real_io,
    take_claimed_time,
)

WHAT = "an answer of the blob store"


class VirtualBlobTransport(BlobTransport):
    """Real HTTP to the blob proxy, under the limits of what sends.

    Outside a story, as in the gateway, requests pass unchanged and take real time.
    """

    def __init__(self, *, clock: Callable[[], str | None] = caller_time) -> None:
        super().__init__()
        self._clock = clock

    async def send(self, request: Any, **options: Any) -> Any:
        """Send the request with the caller's time; take the time that the answer claims.

        Raises:
            ServiceRequestError: the proxy plays a store that is down, or whose name is not found.
            ServiceRequestTimeoutError: it plays one to which no connection comes about.
            ServiceResponseTimeoutError: the answer claims more than the read timeout.
        """
        now = self._clock()
        if now is None:
            return await super().send(request, **options)
        request.headers[TIME] = now
        limits = self.connection_config
        read_timeout = options.get("read_timeout", limits.read_timeout)
        connect_timeout = options.get("connection_timeout", limits.timeout)
        with real_io(WHAT):
            response = await super().send(request, **options)
        answer = response.internal_response
        answer.content = _CountedContent(answer.content)
        try:
            await take_claimed_time(response.headers, read_timeout, connect_timeout)
        except BaseException as error:
            answer.close()
            if isinstance(error, RefusedError):
                raise ServiceRequestError("Connection refused") from None
            if isinstance(error, UnresolvedError):
                raise ServiceRequestError(str(error.__cause__)) from error.__cause__
            if isinstance(error, UnreachableError):
                raise ServiceRequestTimeoutError("Connection timeout") from None
            if isinstance(error, SilentError):
                raise ServiceResponseTimeoutError("Timeout on reading data from socket") from None
            raise
        return response


class _CountedContent:
    """A body of aiohttp's whose reading counts as real I/O."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def read(self, n: int = -1) -> bytes:
        with real_io(WHAT):
            data: bytes = await self._content.read(n)
            return data
