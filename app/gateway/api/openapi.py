"""What OpenAPI says beyond the models: examples, and which errors each route answers with."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.errors.request import (
    BodyTimeoutError,
    BodyTooLargeError,
    GatewayBusyError,
    HeadersTimeoutError,
    HeadersTooLargeError,
    IdempotencyKeyReusedError,
    InvalidImageError,
    RequestError,
    ResultGoneError,
    TooManyStartsError,
    UnauthorizedError,
    WorkflowFinishedError,
    WorkflowNotFoundError,
)
from app.errors.services import (
    AzureBadAnswerError,
    AzureNotFoundError,
    AzureRejectedError,
    AzureTimeoutError,
    AzureUnavailableError,
)
from app.errors.temporal import TemporalUnavailableError
from app.gateway.admission.access import SCHEMES
from app.gateway.api.errors import error_responses
from app.gateway.api.start_request import StartRequest

_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_RUNNING = {"workflowId": _ID, "status": "RUNNING", "progress": 45, "currentStep": "GENERATING_MASK"}
_METRICS = {"precision": 0.98, "recall": 0.95, "iou": 0.92, "growthRatio": 1.02}
_COMPLETED = {
    "workflowId": _ID,
    "status": "COMPLETED",
    "result": {
        "fluxResultBase64": "/9j/4AAQSkZJRg...",
        "geminiResultBase64": None,
        "fluxMetrics": _METRICS,
        "geminiMetrics": None,
        "fluxFidelityVizBase64": "/9j/4AAQSkZJRg...",
        "geminiFidelityVizBase64": None,
    },
}
_FAILED = {
    "workflowId": _ID,
    "status": "FAILED",
    "error": {"code": "A100_UNAVAILABLE", "message": "A100 server is offline", "failedStep": "GENERATING_IMAGES"},
}
_CANCELLED = {"workflowId": _ID, "status": "CANCELLED"}

_AZURE = (AzureUnavailableError, AzureTimeoutError, AzureRejectedError, AzureBadAnswerError)

CONNECTION_ERRORS = error_responses(HeadersTimeoutError, HeadersTooLargeError)
ACCESS_ERRORS = CONNECTION_ERRORS | error_responses(UnauthorizedError)
START_ERRORS = error_responses(
    HeadersTimeoutError,
    BodyTimeoutError,
    IdempotencyKeyReusedError,
    BodyTooLargeError,
    RequestError,
    InvalidImageError,
    GatewayBusyError,
    TemporalUnavailableError,
    TooManyStartsError,
    AzureNotFoundError,
    *_AZURE,
)
STATUS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "How it stands",
        "content": {
            "application/json": {
                "examples": {
                    example["status"]: {"value": example} for example in (_RUNNING, _COMPLETED, _FAILED, _CANCELLED)
                }
            }
        },
    },
    **error_responses(
        WorkflowNotFoundError, ResultGoneError, RequestError, TemporalUnavailableError, GatewayBusyError, *_AZURE
    ),
}
CANCEL_ERRORS = error_responses(WorkflowNotFoundError, WorkflowFinishedError, TemporalUnavailableError)
EVENTS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `progress` at each change, and one `end`",
        "content": {
            "text/event-stream": {
                "example": 'event: progress\nid: 45\ndata: {"workflowId":"7c9e6679-7425-40de-944b-e07fc1f90ae7",'
                '"status":"RUNNING","progress":45,"currentStep":"GENERATING_MASK"}\n\n'
            }
        },
    },
    204: {"description": "`Last-Event-ID` is that of `end`: there is nothing more to tell"},
    **error_responses(WorkflowNotFoundError, TemporalUnavailableError),
}
READY_ERRORS = error_responses(TemporalUnavailableError)

GUARDED = "try-on"
"""The tag of the routes that ask for a key, where there are keys."""

_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")
"""FastAPI documents these for each route that takes a parameter; ours never answers with them."""

_REFERENCE = "#/components/schemas/{model}"

START_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": _REFERENCE.format(model=StartRequest.__name__)},
                "example": {
                    "originalImageBase64": "data:image/jpeg;base64,/9j/4AAQSkZJRg...",
                    "maskPoints": [{"x": 0.5, "y": 0.3, "label": 1}, {"x": 0.1, "y": 0.8, "label": 0}],
                    "brushStrokes": [
                        {"points": [{"x": 0.5, "y": 0.5}, {"x": 0.52, "y": 0.51}], "mode": "add", "size": 20}
                    ],
                    "sessionId": "optional-string",
                },
            }
        },
    }
}
"""The body of a start is read by hand, so that its size is limited before it is in memory."""


def _say_that_errors_are_json(content: dict[str, Any]) -> None:
    """Put an error's schema where its examples are: FastAPI gives it the type of the route's own answer."""
    if "application/json" in content and "text/event-stream" in content:
        content["application/json"] |= content.pop("text/event-stream")


def document(app: FastAPI) -> None:
    """Let the application describe itself, the body that is read by hand included."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            asked = StartRequest.model_json_schema(ref_template=_REFERENCE)
            parts = asked.pop("$defs")
            schemas = schema["components"]["schemas"]
            schemas |= {StartRequest.__name__: asked, **parts}
            for name in _FASTAPI_ERRORS:
                del schemas[name]
            schema["components"]["securitySchemes"] = {
                scheme.scheme_name: scheme.model.model_dump(mode="json", by_alias=True, exclude_none=True)
                for scheme in SCHEMES
            }
            for operation in (one for path in schema["paths"].values() for one in path.values()):
                if GUARDED in operation.get("tags", ()):
                    operation["security"] = [{scheme.scheme_name: []} for scheme in SCHEMES]
                if _FASTAPI_ERRORS[0] in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
                for answer in operation["responses"].values():
                    _say_that_errors_are_json(answer.get("content", {}))
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI documents it
