"""A fault-injecting reverse proxy in front of a blob store: the real store and the real SDK, with bad days by rule."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus

import httpx
from starlette.types import Receive, Scope, Send

from fakes.kit.calls import Answer, Call, Ending, Operation
from fakes.kit.delivery import TRANSPORT, deliver
from fakes.kit.fake import Fake
from fakes.kit.faults.http import Status
from fakes.kit.serve import main
from fakes.kit.settings import FakeSettings

PORT = 10010
METHODS = {"GET": "get", "PUT": "put", "HEAD": "head"}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"transfer-encoding", b"host", b"expect", b"x-sim-time"))
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


class BlobProxy(Fake):
    """Hands requests on to the store at AZURE_BLOB_ENDPOINT. Operations are those on a blob: get, put, head."""

    def __init__(self, settings: FakeSettings) -> None:
        super().__init__("blob", settings)
        self.operations.update({name: Operation(name) for name in METHODS.values()})
        self._asgi = self._route
        self._upstream: httpx.AsyncClient | None = None
        self._origin = httpx.URL(settings.azure_blob_endpoint or "http://127.0.0.1:10000")

    async def start(self, stack: AsyncExitStack) -> None:
        """Open the connections to the store.

        Raises:
            ValueError: AZURE_BLOB_ENDPOINT is missing.
        """
        if not self.settings.azure_blob_endpoint:
            raise ValueError("set AZURE_BLOB_ENDPOINT: the proxy hands requests on to that blob store")
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._upstream = await stack.enter_async_context(httpx.AsyncClient(timeout=300, limits=limits, trust_env=False))

    def key_of(self, scope: Scope) -> str:
        """Return the UUID in the blob's name, as staging/{workflow_id} and {workflow_id}-mask.png have one."""
        found = UUID.search(scope["path"])
        return found[0].lower() if found else ""

    def dressed(self, answer: Answer, call: Call) -> Answer:
        """Return an error as Azure words it, where the rule gives a status alone."""
        if not isinstance(call.fault, Status) or call.fault.body is not None or answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        code = call.fault.headers.get("x-ms-error-code") or CODES.get(answer.status, "InternalError")
        body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>by rule</Message></Error>'
        headers = answer.without(b"content-type", b"x-ms-error-code")
        headers += [(b"content-type", b"application/xml"), (b"x-ms-error-code", code.encode())]
        return Answer(answer.status, body.encode(), headers)

    def _find(self, scope: Scope) -> Operation | None:
        # /account/container/blob: anything shorter is the account or a container
        if scope["path"].count("/") < 3 or scope["path"].startswith("/__sim"):
            return None
        return self.operations.get(METHODS.get(scope["method"], ""))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith("/__sim"):
            await self.as_fastapi(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

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
                await deliver(Answer(0, b"", [], Ending.RESET), _nobody(), scope, receive, send)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("the client left in the middle of its upload")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def _nobody() -> Call:
    return Call("blob", Operation(""), "", 0, None, 0.0, virtual=False, scale=1.0)


def create_app(settings: FakeSettings) -> BlobProxy:
    """Return the proxy in front of the blob store that the settings name."""
    return BlobProxy(settings)


if __name__ == "__main__":
    main("blob", PORT, create_app)
