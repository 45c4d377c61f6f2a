"""Errors as clients see them, in one shape: `{"error": {"code", "message", "details"}}`; and their documentation."""

import http
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.errors import PipelineError
from app.errors.request import FieldProblem, MethodNotAllowedError, RequestError, RouteNotFoundError, UnauthorizedError

MAX_DETAILS = 20
MAX_BYTES = 4096
MAX_MESSAGE = 300

RETRY_AFTER = 5.0
"""Seconds to come again after, when Azure is away and has not said when."""


class ProblemDetail(BaseModel):
    """A field of the request that is wrong, as in `maskPoints[0].x`, and how."""

    field: str
    message: str


class Problem(BaseModel):
    """A stable code for programs, a message for people, and the fields at fault."""

    code: str
    message: str
    details: list[ProblemDetail]


class ErrorBody(BaseModel):
    """The body of every answer that is an error, and what some say beside it."""

    error: Problem
    workflow_id: str = Field(
        default_factory=str,
        alias="workflowId",
        description="503 of a start whose answer was lost: the try-on that may run; a repeat with this as its "
        "Idempotency-Key is the same one. 409: the one that has ended.",
    )
    status: Literal["COMPLETED", "FAILED", "CANCELLED"] = Field(
        default_factory=lambda: "COMPLETED", description="409: how it has ended."
    )


def problem_response(error: PipelineError) -> Response:
    """Return the answer for an error: at most 20 details and 4 KiB in all."""
    fields = error.details if isinstance(error, RequestError) else ()
    details = [{"field": one.field, "message": _cut(one.message)} for one in fields[:MAX_DETAILS]]
    content: dict[str, Any] = {"error": {"code": error.code, "message": _cut(error.message), "details": details}}
    content |= error.beside
    wait = error.retry_after
    if wait is None and error.retryable and error.http_status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        wait = RETRY_AFTER
    headers = {"Retry-After": str(math.ceil(wait))} if wait is not None else {}
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    while len((response := JSONResponse(content, error.http_status, headers)).body) > MAX_BYTES and details:
        details.pop()
    return response


def field_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """Turn pydantic's errors into ours. Their `input`, which may be a picture, is not looked at."""
    found = []
    for error in errors:
        where = error["loc"]
        message = "Input should be one of the documented fields" if error["type"] == "extra_forbidden" else error["msg"]
        found.append(FieldProblem(_path(where) or "body", message))
    return found


class NothingMoreError(Exception):
    """A stream was followed to its end already: a 204, with which an EventSource does not come again."""


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the application in the one shape."""

    async def pipeline_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, PipelineError)
        return problem_response(error)

    async def validation_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # FastAPI puts the kind of parameter first: ("query", "wait").
        problems = field_problems({**one, "loc": one["loc"][1:]} for one in error.errors())
        return problem_response(RequestError(f"{problems[0].field}: {problems[0].message}", details=problems))

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = problem_response(_from_http(error))
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    async def nothing_more(_request: Request, _error: Exception) -> Response:
        return Response(status_code=204)

    app.add_exception_handler(NothingMoreError, nothing_more)
    app.add_exception_handler(PipelineError, pipeline_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)


def error_responses(*errors: type[PipelineError]) -> dict[int | str, dict[str, Any]]:
    """Document which errors a route answers with: by status, with an example for each code."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = by_status.setdefault(error.http_status, {"model": ErrorBody, "description": "", "content": {}})
        phrase = http.HTTPStatus(error.http_status).phrase
        entry["description"] = f"{entry['description'] or phrase + ':'} `{error.code}`"
        examples = entry["content"].setdefault("application/json", {"examples": {}})["examples"]
        summary = (error.__doc__ or "").strip().splitlines()[0]
        examples[error.code] = {
            "summary": summary,
            "value": {"error": {"code": error.code, "message": summary, "details": []}},
        }
    return by_status


def _from_http(error: HTTPException) -> RequestError:
    if error.status_code == RouteNotFoundError.http_status:
        return RouteNotFoundError("There is no such path; /openapi.json lists those that there are")
    if error.status_code == MethodNotAllowedError.http_status:
        return MethodNotAllowedError("This path does not take this method")
    return RequestError(http.HTTPStatus(error.status_code).phrase)


def _path(location: Sequence[str | int]) -> str:
    """Write ("maskPoints", 0, "x") as `maskPoints[0].x`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.lstrip(".")


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
