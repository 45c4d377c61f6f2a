"""A client of the gateway's public API, as a frontend is one: start, follow, cancel (docs/api.md).

Everything of the harness that is asynchronous asks by it. Load generators have their own beside it, on Locust's client.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx

POINTS: Sequence[Mapping[str, Any]] = ({"x": 0.5, "y": 0.62, "label": 1}, {"x": 0.05, "y": 0.05, "label": 0})
"""One on the neck of a portrait that fills the picture, one in a corner."""
STROKES: Sequence[Mapping[str, Any]] = (
    {"points": [{"x": 0.45, "y": 0.6}, {"x": 0.55, "y": 0.6}], "mode": "add", "size": 12},
)
"""A stroke, for who wants every step to run."""

TIMEOUT_S = 60.0
STREAM_S = 300.0
"""A stream of events may be silent for so long."""
PATIENCE_S = 300.0
"""For a whole try-on of which nobody says how long it may take."""
RUNNING = "RUNNING"
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
RETRY_AFTER_S = 1.0
"""After a 503 that does not say when to come again."""


class RefusedError(Exception):
    """The gateway did not do what it was asked for: its own words, in one line."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(_reason(answer))
        self.status_code = answer.status_code


class FailedError(Exception):
    """A try-on ended without pictures: code, message and step, in one line."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        error = view.get("error") or {"code": view.get("status"), "message": "", "failedStep": "?"}
        self.code = str(error["code"])
        super().__init__(f"{self.code} at {error['failedStep']}: {error['message']}")


def start_body(
    photo: bytes,
    points: Sequence[Mapping[str, Any]] = POINTS,
    strokes: Sequence[Mapping[str, Any]] = (),
    session: str | None = None,
) -> dict[str, Any]:
    """Return the JSON body of a start: points and strokes as the API has them."""
    body: dict[str, Any] = {
        "originalImageBase64": base64.b64encode(photo).decode(),
        "maskPoints": [dict(point) for point in points],
    }
    if strokes:
        body["brushStrokes"] = [dict(stroke) for stroke in strokes]
    if session is not None:
        body["sessionId"] = session
    return body


class GatewayClient:
    """Requests to one gateway over shared connections, as an async context.

    Args:
        url: the gateway's address.
        api_key: sent as X-API-Key with each request, if it is not empty.
        timeout: of one request, in seconds, beside what it asks the gateway to wait.
    """

    def __init__(self, url: str, *, api_key: str = "", timeout: float = TIMEOUT_S) -> None:
        self.url = url
        self._timeout = timeout
        self.http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout,
            trust_env=False,
            headers={"X-API-Key": api_key} if api_key else {},
            limits=httpx.Limits(max_connections=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def post(
        self, body: Mapping[str, Any] | bytes, *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask for a try-on, under this Idempotency-Key if there is one, and return the answer whatever it is.

        With `Transfer-Encoding: chunked` among the headers the body is sent in pieces, without a length.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {}), **(headers or {})}
        pieces = _pieces(content) if sent.get("Transfer-Encoding") == "chunked" else content
        return await self.http.post("/workflow/start", content=pieces, headers=sent)

    async def start(self, body: Mapping[str, Any] | bytes, *, key: str | None = None, patience_s: float = 0.0) -> str:
        """Start a try-on and return its id. After a 503 nothing was accepted: it is asked again while there is time.

        Raises:
            RefusedError: any answer but 202.
        """
        answer = await self.in_time(lambda: self.post(body, key=key), patience_s)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise RefusedError(answer)
        return str(answer.json()["workflowId"])

    async def look(self, workflow_id: str, *, wait_s: float = 0) -> httpx.Response:
        """Ask for the status, waiting for its end up to so long, and return the answer whatever it is."""
        params, timeout = {"wait": wait_s} if wait_s else {}, self._timeout + wait_s
        return await self.http.get(f"/workflow/{workflow_id}", params=params, timeout=timeout)

    async def view(self, workflow_id: str) -> dict[str, Any]:
        """Return the status as it is.

        Raises:
            RefusedError: any answer but 200.
        """
        answer = await self.look(workflow_id)
        if answer.status_code != httpx.codes.OK:
            raise RefusedError(answer)
        return dict(answer.json())

    async def cancel(self, workflow_id: str) -> httpx.Response:
        """Ask for a cancellation and return the answer whatever it is."""
        return await self.http.post(f"/workflow/{workflow_id}/cancel")

    async def follow(
        self,
        workflow_id: str,
        seen: Callable[[dict[str, Any]], None] = lambda _view: None,
        *,
        every_s: float = 0.0,
        wait_s: int = 20,
        limit_s: float = 600.0,
        unanswered: Callable[[int], None] = lambda _status: None,
    ) -> dict[str, Any]:
        """Look until a try-on has ended, and return its last view.

        Args:
            workflow_id: the try-on.
            seen: called with each view.
            every_s: the pause after a look that saw it running.
            wait_s: how long the gateway may hold a look back until there is an end; 0: it answers at once.
            limit_s: when it is given up.
            unanswered: called with the status of each look that was to be asked again (503).

        Raises:
            RefusedError: a look was answered with neither 200 nor 503.
            TimeoutError: it has not ended within the limit.
        """
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            try:
                answer = await self.look(workflow_id, wait_s=wait_s)
            except httpx.RemoteProtocolError:  # an idle connection was closed just then; a GET may be repeated
                continue
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                unanswered(answer.status_code)
                await asyncio.sleep(_again_after(answer))
                continue
            if answer.status_code != httpx.codes.OK:
                raise RefusedError(answer)
            view = dict(answer.json())
            seen(view)
            if view["status"] != RUNNING:
                return view
            await asyncio.sleep(every_s)
        raise TimeoutError(f"the try-on {workflow_id} has not ended after {limit_s:g} s")

    async def pictures(self, workflow_id: str, **how: Any) -> dict[str, Any]:
        """Follow a try-on as `follow` does and return its `result`.

        Raises:
            FailedError: it ended in another way than COMPLETED.
            RefusedError: as `follow`.
            TimeoutError: as `follow`.
        """
        view = await self.follow(workflow_id, **how)
        if view["status"] != "COMPLETED":
            raise FailedError(view)
        return dict(view["result"])

    async def try_on(self, body: Mapping[str, Any] | bytes, *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Start a try-on, however busy the gateway is, and return its `result`.

        Raises:
            FailedError: it ended in another way than COMPLETED.
            RefusedError: it was not accepted within the patience, or a look was refused.
            TimeoutError: it has not ended within the patience.
        """
        return await self.pictures(await self.start(body, patience_s=patience_s), limit_s=patience_s)

    @asynccontextmanager
    async def events(self, workflow_id: str, *, after: str | None = None) -> AsyncIterator[httpx.Response]:
        """Open the stream of a try-on's events, or take it up again after the one with that id."""
        headers = {} if after is None else {"Last-Event-ID": after}
        path = f"/workflow/{workflow_id}/events"
        async with self.http.stream("GET", path, timeout=STREAM_S, headers=headers) as stream:
            yield stream

    @staticmethod
    async def in_time(ask: Callable[[], Awaitable[httpx.Response]], patience_s: float) -> httpx.Response:
        """Ask again after each 503, when it says to come again, while there is time; return the last answer."""
        deadline = time.monotonic() + patience_s
        while True:
            answer = await ask()
            pause = _again_after(answer)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() + pause > deadline:
                return answer
            await asyncio.sleep(pause)


def _again_after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else RETRY_AFTER_S


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """Return what an answer says; an object that says so where it is no JSON, or no object."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"noObject": answer.text[:200]}


def _reason(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
        details = "; ".join(str(detail.get("message", detail)) for detail in error.get("details") or [])
        return f"{error['code']}: {error['message']}{f' ({details})' if details else ''}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}: {answer.text[:200]}"


PIECE = 64 * 1024


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), PIECE):
        yield content[begin : begin + PIECE]
