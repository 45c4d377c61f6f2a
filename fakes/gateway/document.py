"""The contract that the fake keeps: the gateway's own OpenAPI document, and the errors that it promises."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parents[2] / "docs" / "openapi.json"

OPERATIONS = {
    "start": ("post", "/workflow/start"),
    "status": ("get", "/workflow/{workflowId}"),
    "cancel": ("post", "/workflow/{workflowId}/cancel"),
    "events": ("get", "/workflow/{workflowId}/events"),
    "readyz": ("get", "/readyz"),
}
"""The operations whose errors can be scripted, by the names that scripts use."""


@dataclass(frozen=True)
class Problem:
    """An error of a request: its code, its status, and what it means."""

    code: str
    status: int
    message: str


INTERNAL_ERROR = Problem("INTERNAL_ERROR", 500, "An unexpected error in the backend")
"""A defect, which no document promises."""


@cache
def document() -> dict[str, Any]:
    """Return the gateway's document.

    Raises:
        FileNotFoundError: it is not where the checkout and the image have it.
    """
    found: dict[str, Any] = json.loads(PLACE.read_text())
    return found


@cache
def problems(operation: str) -> dict[str, Problem]:
    """Return the errors that the document promises for an operation, by code."""
    method, path = OPERATIONS[operation]
    found = {INTERNAL_ERROR.code: INTERNAL_ERROR}
    for status, answer in document()["paths"][path][method]["responses"].items():
        for content in answer.get("content", {}).values():
            for example in content.get("examples", {}).values() if int(status) >= 400 else ():
                error = example["value"]["error"]
                found[error["code"]] = Problem(error["code"], int(status), error["message"])
    return found
