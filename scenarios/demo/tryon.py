"""One try-on through the gateway's API, as a frontend does it: start, follow, fetch."""

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import httpx

POLL_INTERVAL_S = 0.25
LIMIT_S = 600


class RefusedError(Exception):
    """The gateway did not take the photo: its own words, in one line."""


class FailedError(Exception):
    """The try-on ended without pictures: code, message and step, in one line."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


async def start(
    gateway: httpx.AsyncClient, photo: bytes, points: list[dict[str, float | int]], *, key: str | None = None
) -> str:
    """Post the photo, with an Idempotency-Key if one is given, and return the workflow's id.

    Raises:
        RefusedError: any answer but 202.
    """
    body = {"originalImageBase64": base64.b64encode(photo).decode(), "maskPoints": points, "sessionId": "demo"}
    answer = await gateway.post(
        "/workflow/start", json=body, headers={"Idempotency-Key": key} if key else {}, timeout=60
    )
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RefusedError(_reason(answer))
    workflow_id: str = answer.json()["workflowId"]
    return workflow_id


async def follow(
    gateway: httpx.AsyncClient, workflow_id: str, on_progress: Callable[[int, str], None]
) -> dict[str, Any]:
    """Report each progress until the try-on has ended, and return its `result`.

    Raises:
        FailedError: it ended in another way than COMPLETED, or not within ten minutes.
    """
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        state = (await gateway.get(f"/workflow/{workflow_id}", timeout=60)).raise_for_status().json()
        if state["status"] == "RUNNING":
            on_progress(state["progress"], state["currentStep"])
            await asyncio.sleep(POLL_INTERVAL_S)
            continue
        if state["status"] == "COMPLETED":
            on_progress(100, "COMPLETED")
            result: dict[str, Any] = state["result"]
            return result
        error = state.get("error") or {"code": state["status"], "message": "", "failedStep": "?"}
        raise FailedError(f"{error['code']} at {error['failedStep']}: {error['message']}", error["code"])
    raise FailedError(f"the try-on {workflow_id} has not ended after {LIMIT_S} s", "DEMO_TIMEOUT")


def _reason(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
        details = "; ".join(str(detail.get("message", detail)) for detail in error.get("details") or [])
        return f"{error['code']}: {error['message']}{f' ({details})' if details else ''}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}: {answer.text[:200]}"
