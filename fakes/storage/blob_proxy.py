"""A fault-injecting reverse proxy in front of a blob store: the real store and the real SDK, with bad days by rule."""

import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from fakes import (
    faults,  # noqa: F401 - a file of rules is for all services
    profiles,
)
from fakes.kit import wire
from fakes.kit.calls import Answer
from fakes.kit.delivery import TRANSPORT, reset
from fakes.kit.faults.base import CallFault
from fakes.kit.faults.http import Status
from fakes.kit.serve import main
from fakes.kit.simulated import Simulated
from fakes.registry import BLOB
from fakes.settings import ServiceSettings
from fakes.storage.faults import refusal

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"host", b"expect", wire.TIME.lower().encode())
)
CODES = {
    400: "InvalidInput",
    403: "AuthenticationFailed",
    404: "BlobNotFound",
    409: "BlobAlreadyExists",
    412: "ConditionNotMet",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServerBusy",
}
"""The error codes that Azure gives with a status, where the rule's fault has no body of its own."""


class BlobProxy:
    """Hands requests on to the store at AZURE_BLOB_ENDPOINT, as a plain application of ASGI."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._endpoint = settings.azure_blob_endpoint
        self._origin = httpx.URL(settings.azure_blob_endpoint or "http://127.0.0.1:10000")
        self._upstream: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live, say what it is, or forward.

        Raises:
            ValueError: it is to live, and AZURE_BLOB_ENDPOINT is missing.
        """
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/":
            await JSONResponse({"service": BLOB.name, "fake": True})(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if not self._endpoint:
            missing = "set AZURE_BLOB_ENDPOINT: the proxy hands requests on to that blob store"
            await send({"type": "lifespan.startup.failed", "message": missing})
            raise ValueError(missing)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        async with httpx.AsyncClient(timeout=300, limits=limits, trust_env=False) as self._upstream:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._upstream is not None
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = [(name, value) for name, value in scope["headers"] if name not in HOP_BY_HOP]
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        request = httpx.Request(
            scope["method"],
            self._origin.copy_with(raw_path=target),
            headers=headers,
            content=_body(receive) if has_body else None,
        )
        begun = False
        try:
            response = await self._upstream.send(request, stream=True)
            try:
                given = [(name.lower(), value) for name, value in response.headers.raw]
                kept = [(name, value) for name, value in given if name not in HOP_BY_HOP]
                begun = True
                await send({"type": "http.response.start", "status": response.status_code, "headers": kept})
                async for piece in response.aiter_raw():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                await response.aclose()
        except httpx.HTTPError:
            # what a client sees when the store itself goes away
            if begun:
                scope[TRANSPORT].abort()
            else:
                await reset(scope, receive)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("the client left in the middle of its upload")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def key_of(scope: Scope) -> str:
    """Return the UUID in the blob's name, as staging/{workflow_id} and {workflow_id}-mask.png have one."""
    found = UUID.search(scope["path"])
    return found[0].lower() if found else ""


def dressed(answer: Answer, fault: CallFault) -> Answer:
    """Return an error as Azure words it, where the rule gives a status alone."""
    if not isinstance(fault, Status) or fault.body is not None or answer.status < HTTPStatus.BAD_REQUEST:
        return answer
    code = fault.headers.get("x-ms-error-code") or CODES.get(answer.status, "InternalError")
    azures = refusal(answer.status, code, "by rule")
    azures.headers += answer.without(b"content-type", b"x-ms-error-code")
    return azures


def create_app(settings: ServiceSettings) -> Simulated:
    """Return the proxy in front of the blob store that the settings name."""
    return Simulated(
        BlobProxy(settings),
        BLOB.name,
        settings,
        BLOB.operations,
        profiles=profiles.named(BLOB.name),
        key_of=key_of,
        dressed=dressed,
    )


if __name__ == "__main__":
    main(BLOB.name, BLOB.port, create_app, ServiceSettings)
