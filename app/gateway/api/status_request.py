"""What a client asks with: the parameters of GET /workflow/{id}, read by hand.

It is asked more often than all else together, and to have FastAPI take such a request apart costs more than its answer.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field, TypeAdapter, ValidationError

MAX_WAIT = 60.0
"""Seconds that a long poll may ask for: proxies cut longer ones off."""

ID_DESCRIPTION = "As POST /workflow/start gave it."
_WAIT_DESCRIPTION = "Answer at the end, or after so many seconds."
_WAIT = TypeAdapter(Annotated[float, Field(ge=0, le=MAX_WAIT, allow_inf_nan=False)])

STATUS_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "workflowId",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "description": ID_DESCRIPTION, "title": "Workflowid"},
            "description": ID_DESCRIPTION,
        },
        {
            "name": "wait",
            "in": "query",
            "required": False,
            "schema": {**_WAIT.json_schema(), "description": _WAIT_DESCRIPTION, "default": 0, "title": "Wait"},
            "description": _WAIT_DESCRIPTION,
        },
    ]
}
"""For the API's description, in FastAPI's words."""


class ByHand(APIRoute):
    """A route that FastAPI describes and guards. Its endpoint takes the request as it is, and reads it itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what asks the guards, which take the request alone, and then the endpoint."""
        steps = [*(guard.dependency for guard in self.dependencies if guard.dependency), self.endpoint]

        async def handle(request: Request) -> Response:
            for step in steps:
                answer = await step(request)
            assert isinstance(answer, Response)
            return answer

        return handle


def wait_of(request: Request) -> float:
    """Return for how many seconds the client would wait.

    Raises:
        RequestValidationError: `wait` is no number of seconds, or too many.
    """
    asked = request.query_params.get("wait")
    if asked is None:
        return 0
    try:
        return _WAIT.validate_python(asked)
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("query", "wait", *one["loc"])} for one in error.errors()]
        ) from None
