"""A plain HTTP caller of the gateway for benchmarks: start, follow, fetch the result."""

import asyncio
import json

import httpx
import pybase64

POINTS = [{"x": 0.5, "y": 0.62, "label": 1}, {"x": 0.1, "y": 0.1, "label": 0}]
STROKES = [{"points": [{"x": 0.45, "y": 0.6}, {"x": 0.55, "y": 0.62}], "mode": "add", "size": 20}]
PATIENCE_S = 300


class TryOnFailedError(Exception):
    """A try-on of a benchmark did not complete, so its figures would mean nothing."""


def body(photo: bytes) -> bytes:
    """Return the JSON body of POST /workflow/start for a photo, with a stroke, so that every step runs."""
    return json.dumps(
        {
            "originalImageBase64": pybase64.b64encode(photo).decode(),
            "maskPoints": POINTS,
            "brushStrokes": STROKES,
        }
    ).encode()


class Caller:
    """Calls one gateway over a shared connection pool."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, timeout=PATIENCE_S, trust_env=False, limits=httpx.Limits(max_connections=None)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def start(self, content: bytes) -> str:
        """Start a try-on and return its id.

        Raises:
            TryOnFailedError: it was not accepted.
        """
        headers = {"Content-Type": "application/json"}
        while True:
            answer = await self._http.post("/workflow/start", content=content, headers=headers)
            if answer.status_code != 503:
                break
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))  # it says that it is busy: come again
        if answer.status_code != 202:
            raise TryOnFailedError(f"a start was answered with {answer.status_code}: {answer.text[:300]}")
        return str(answer.json()["workflowId"])

    async def finish(self, workflow_id: str) -> int:
        """Follow a try-on to its end and return the bytes of its last answer, which holds the pictures.

        Raises:
            TryOnFailedError: it did not complete.
        """
        while True:
            try:
                answer = await self._http.get(f"/workflow/{workflow_id}", params={"wait": 20})
            except httpx.RemoteProtocolError:  # the server closed an idle connection just then; a GET may be repeated
                continue
            if answer.status_code == 503:  # a busy machine is no failure of the try-on
                await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
                continue
            state = answer.json()
            if answer.status_code != 200 or state["status"] not in ("RUNNING", "COMPLETED"):
                raise TryOnFailedError(f"a try-on ended with {answer.text[:300]}")
            if state["status"] == "COMPLETED":
                return len(answer.content)

    async def try_on(self, content: bytes) -> int:
        """Start a try-on and follow it to its end."""
        return await self.finish(await self.start(content))
