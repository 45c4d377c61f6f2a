"""A request is refused; no workflow is started for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.errors.base import PipelineError
from app.pipeline.steps import Step


@dataclass(frozen=True)
class FieldProblem:
    """Which field of a request is wrong, as in `maskPoints[0].x`, and how."""

    field: str
    message: str


class RequestError(PipelineError):
    """The request itself is refused; no workflow is started for it.

    Attributes:
        field: the field at fault, where it is always the same one.
    """

    code = "INVALID_REQUEST"
    http_status = 422
    field: ClassVar[str | None] = None
    advice = "The client's to mend: `details` names each field."

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[FieldProblem] = (),
        beside: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep the message, the fields at fault, what the answer says beside `error`, and when to come again."""
        super().__init__(message, retry_after=retry_after)
        self.details = tuple(details) or ((FieldProblem(self.field, message),) if self.field else ())
        self.beside = dict(beside or {})


class InvalidImageError(RequestError):
    """The picture cannot be used. Most are refused at once; half a file may be found only by the first step."""

    code = "INVALID_IMAGE"
    steps = (Step.UPLOADING_IMAGE,)
    field = "originalImageBase64"
    advice = "Ask the user for another photo: JPEG or PNG, 32 pixels a side to 64 megapixels, complete."


class HeadersTooLargeError(RequestError):
    """The request's headers and target are larger than 64 KiB."""

    code = "HEADERS_TOO_LARGE"
    http_status = 431
    advice = "The client sends something in headers that does not belong there, such as endless cookies."


class HeadersTimeoutError(RequestError):
    """The request's headers did not arrive within 10 seconds."""

    code = "HEADERS_TIMEOUT"
    http_status = 408
    advice = "The client's connection is too slow or broke off."


class BodyTooLargeError(RequestError):
    """The body is larger than MAX_BODY_MB."""

    code = "BODY_TOO_LARGE"
    http_status = 413
    advice = "The client makes the photo smaller before it sends it, or MAX_BODY_MB is raised."


class BodyTimeoutError(RequestError):
    """The body did not arrive within BODY_TIMEOUT_S, or after BODY_GRACE_S came slower than 64 KiB a second."""

    code = "BODY_TIMEOUT"
    http_status = 408
    advice = "The client's connection is slow or broke: it sends the request again."


class GatewayBusyError(RequestError):
    """All BODY_SLOTS, START_SLOTS or RESULT_SLOTS, or the caller's share, stayed taken; or too many clients wait."""

    code = "GATEWAY_BUSY"
    http_status = 503
    advice = "More uploads than this gateway takes: start another one, or raise BODY_SLOTS where memory allows."


class UnauthorizedError(RequestError):
    """The deployment has API keys, and the request came with none of them."""

    code = "UNAUTHORIZED"
    http_status = 401
    advice = "The client sends one of API_KEYS as `Authorization: Bearer KEY` or `X-API-Key: KEY`."


class TooManyStartsError(RequestError):
    """The caller has used up START_LIMIT_PER_MINUTE."""

    code = "TOO_MANY_STARTS"
    http_status = 429
    advice = "The client waits for `Retry-After`, or START_LIMIT_PER_MINUTE is raised."


class RouteNotFoundError(RequestError):
    """There is no such path."""

    code = "NOT_FOUND"
    http_status = 404
    advice = "The client asks for a path that the API does not have."


class MethodNotAllowedError(RequestError):
    """The path does not take this method."""

    code = "METHOD_NOT_ALLOWED"
    http_status = 405
    advice = "The client uses a wrong method; the `Allow` header names the right ones."


class WorkflowNotFoundError(RequestError):
    """There is no try-on with this id."""

    code = "WORKFLOW_NOT_FOUND"
    http_status = 404
    advice = "The id is wrong, or older than the namespace's retention."


class WorkflowFinishedError(RequestError):
    """The try-on cannot be cancelled any more."""

    code = "WORKFLOW_FINISHED"
    http_status = 409
    advice = "Nothing to do: `status` says how it ended."


class ResultGoneError(RequestError):
    """The try-on was COMPLETED, but its pictures are no longer in the container."""

    code = "RESULT_GONE"
    http_status = 410
    advice = (
        "A lifecycle rule deleted the pictures, or AZURE_CONTAINER was changed since. The user starts a new try-on."
    )


class IdempotencyKeyReusedError(RequestError):
    """The Idempotency-Key was used with another body before."""

    code = "IDEMPOTENCY_KEY_REUSED"
    http_status = 409
    advice = "The client makes a new key for each new request."
