"""What the gateway answers when something is wrong, in its own shape."""

from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from fakes.gateway.asked import path

RETRY_AFTER = "1"
_FINAL = {"AZURE_REJECTED", "AZURE_NOT_FOUND"}
"""Errors that pass only when an operator mends something: they come without Retry-After."""


class ProblemError(Exception):
    """An error in the gateway's shape."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[tuple[str, str]] = (),
        beside: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        fields = [{"field": name, "message": what} for name, what in details[:20]]
        self.body = {"error": {"code": code, "message": message, "details": fields}, **(beside or {})}
        self.status = status
        self.headers = {"Retry-After": RETRY_AFTER} if status in {429, 503} and code not in _FINAL else {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"

    def response(self) -> Response:
        """Return the answer."""
        return JSONResponse(self.body, self.status, self.headers)


class CutOff(Response):
    """An answer that breaks off: its head comes, and nothing of its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send the head alone; the server then closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


def answer_problems(app: FastAPI) -> None:
    """Have an application answer every problem in the gateway's shape."""

    async def problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return error.response()

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        details = [(path(tuple(one["loc"][1:])), str(one["msg"])) for one in error.errors()]
        return ProblemError(422, "INVALID_REQUEST", f"{details[0][0]}: {details[0][1]}", details).response()

    async def other(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            answer = ProblemError(405, "METHOD_NOT_ALLOWED", "This path does not take this method").response()
        else:
            message = "There is no such path; /openapi.json lists those that there are"
            answer = ProblemError(404, "NOT_FOUND", message).response()
        answer.headers.update(error.headers or {})
        return answer

    app.add_exception_handler(ProblemError, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, other)
