"""One tree of errors. The code, whether it is retried, the steps it can fail and its HTTP status live with the class.

The README's table of codes is checked against `error_classes()`. Messages name no address and no secret: clients see
them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.pipeline.steps import Step

_EVERY_STEP = tuple(step for step in Step if step is not Step.COMPLETED)


class PipelineError(Exception):
    """Base of every error that a client can be told about.

    Attributes:
        code: the stable name in the API.
        http_status: the status when a request itself fails with it. A failed try-on is reported inside a 200.
        retryable: whether another attempt of the same activity may go better.
        steps: the steps that can fail with it; empty for errors of a request.
        advice: what a person on call does about it, in one sentence.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    steps: ClassVar[tuple[Step, ...]] = ()
    advice: ClassVar[str] = "A defect of the backend: look for the workflow id in the logs."

    def __init__(self, message: str, *, retry_after: float | None = None, final: bool = False) -> None:
        """Keep the message and, where a service asked for it, the seconds to wait before the next attempt.

        `final` forbids another attempt, where it would repeat dear work that is not to blame.
        """
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.final = final or not self.retryable


def error_classes(root: type[PipelineError] = PipelineError) -> Iterator[type[PipelineError]]:
    """Yield every class of the tree that has a code, parents first. A base without one is never raised itself."""
    if root is PipelineError or root.code != PipelineError.code:
        yield root
    for child in root.__subclasses__():
        yield from error_classes(child)


# ---------------------------------------------------------------- a request
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
    advice = "Ask the user for another photo: JPEG or PNG, 32 pixels a side to 50 megapixels, complete."


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


# ---------------------------------------------------------------- Azure Blob Storage
class AzureUnavailableError(PipelineError):
    """Azure gave no answer, 429, 500 or 503."""

    code = "AZURE_UNAVAILABLE"
    http_status = 503
    retryable = True
    steps = _EVERY_STEP
    advice = "Look at the storage account's health and network; try again later."


class AzureTimeoutError(PipelineError):
    """Azure did not finish within the call's deadline."""

    code = "AZURE_TIMEOUT"
    http_status = 503
    retryable = True
    steps = _EVERY_STEP
    advice = "Look at the storage account's latency and the network between."


class AzureRejectedError(PipelineError):
    """Azure refused: wrong key, no right, or no such container."""

    code = "AZURE_REJECTED"
    http_status = 503
    steps = _EVERY_STEP
    advice = "Check AZURE_ACCOUNT_NAME, AZURE_ACCOUNT_KEY and AZURE_CONTAINER."


class AzureNotFoundError(AzureRejectedError):
    """A blob that must exist does not."""

    code = "AZURE_NOT_FOUND"
    advice = "Something deleted the blob: check the lifecycle rules of the container."


class AzureBadAnswerError(PipelineError):
    """What Azure holds under the name is not what was put there."""

    code = "AZURE_BAD_ANSWER"
    retryable = True
    http_status = 503
    steps = _EVERY_STEP
    advice = "Something else writes to the container, or a proxy between mangles answers."


# ---------------------------------------------------------------- the image manipulator
class ImageManipulatorError(PipelineError):
    """Base of the image manipulator's failures; it has no code of its own."""

    http_status = 502
    steps = (Step.RESIZING_IMAGE, Step.CHECKING_ZOOM)


class ImageManipulatorUnavailableError(ImageManipulatorError):
    """The image manipulator gave no answer, 429 or 5xx."""

    code = "IMAGE_MANIPULATOR_UNAVAILABLE"
    retryable = True
    advice = "Is the image manipulator up and reachable at IMAGE_MANIPULATOR_URL?"


class ImageManipulatorTimeoutError(ImageManipulatorError):
    """The image manipulator did not finish within the call's deadline."""

    code = "IMAGE_MANIPULATOR_TIMEOUT"
    retryable = True
    advice = "The image manipulator hangs or is overloaded: look at its load."


class ImageManipulatorRejectedError(ImageManipulatorError):
    """The image manipulator refused the request (4xx)."""

    code = "IMAGE_MANIPULATOR_REJECTED"
    advice = "The contract changed or the picture was refused: run the contract suite against it."


class ImageManipulatorBadAnswerError(ImageManipulatorError):
    """The image manipulator's answer breaks its contract."""

    code = "IMAGE_MANIPULATOR_BAD_ANSWER"
    retryable = True
    advice = "Run the contract suite against the image manipulator."


# ---------------------------------------------------------------- BiRefNet
class BirefnetError(PipelineError):
    """Base of BiRefNet's failures; it has no code of its own."""

    http_status = 502
    steps = (Step.REMOVING_BACKGROUND,)


class BirefnetUnavailableError(BirefnetError):
    """BiRefNet gave no answer, 429 or 5xx."""

    code = "BIREFNET_UNAVAILABLE"
    retryable = True
    advice = "Is BiRefNet up and reachable at BIREFNET_URL?"


class BirefnetTimeoutError(BirefnetError):
    """A call to BiRefNet did not finish within its deadline."""

    code = "BIREFNET_TIMEOUT"
    retryable = True
    advice = "BiRefNet hangs, or its jobs are stuck: look at its queue and its GPU."


class BirefnetJobTimeoutError(BirefnetTimeoutError):
    """A background job was not done 120 s after its submit. Not tried again: the GPU would only be asked for more."""

    retryable = False


class BirefnetRejectedError(BirefnetError):
    """BiRefNet refused the request (4xx)."""

    code = "BIREFNET_REJECTED"
    advice = "The contract changed or the picture was refused: run the contract suite against it."


class BirefnetBadAnswerError(BirefnetError):
    """BiRefNet's answer breaks its contract, or its result is not a cut-out of the picture."""

    code = "BIREFNET_BAD_ANSWER"
    retryable = True
    advice = "Run the contract suite against BiRefNet."


class BirefnetJobFailedError(BirefnetError):
    """BiRefNet says that the job failed, or has lost it."""

    code = "BIREFNET_JOB_FAILED"
    retryable = True
    advice = "Look for the job in BiRefNet's logs."


# ---------------------------------------------------------------- SAM3
class Sam3Error(PipelineError):
    """Base of SAM3's failures; it has no code of its own."""

    http_status = 502
    steps = (Step.GENERATING_MASK,)


class Sam3UnavailableError(Sam3Error):
    """SAM3 gave no answer, 429 or 5xx."""

    code = "SAM3_UNAVAILABLE"
    retryable = True
    advice = "Is SAM3 up and reachable at SAM3_URL?"


class Sam3TimeoutError(Sam3Error):
    """A call to SAM3 did not finish within its deadline."""

    code = "SAM3_TIMEOUT"
    retryable = True
    advice = "SAM3 hangs, or its jobs are stuck: look at its queue and its GPU."


class Sam3JobTimeoutError(Sam3TimeoutError):
    """A mask job was not done 120 s after its submit. Not tried again: the GPU would only be asked for more."""

    retryable = False


class Sam3RejectedError(Sam3Error):
    """SAM3 refused the request (4xx)."""

    code = "SAM3_REJECTED"
    advice = "The contract changed or the picture was refused: run the contract suite against it."


class Sam3BadAnswerError(Sam3Error):
    """SAM3's answer breaks its contract, or its mask does not fit the picture and the points."""

    code = "SAM3_BAD_ANSWER"
    retryable = True
    advice = "Run the contract suite against SAM3."


class Sam3JobFailedError(Sam3Error):
    """SAM3 says that the job failed, or has lost it."""

    code = "SAM3_JOB_FAILED"
    retryable = True
    advice = "Look for the job in SAM3's logs."


# ---------------------------------------------------------------- the A100 server
class A100Error(PipelineError):
    """An A100 server answered 429 or 5xx, or broke the connection; to its health check too, when none is online."""

    code = "A100_ERROR"
    http_status = 502
    retryable = True
    steps = (Step.REFINING_MASK, Step.GENERATING_IMAGES)
    advice = "Look at the A100 server's logs and its free GPU memory."


class A100UnavailableError(A100Error):
    """Every known A100 server is unreachable or says that it is not online. Not retried, as the specification says."""

    code = "A100_UNAVAILABLE"
    http_status = 503
    retryable = False
    advice = "Start an A100 server, or put its address into A100_URLS."


class A100TimeoutError(A100Error):
    """The A100 server did not finish within the call's deadline."""

    code = "A100_TIMEOUT"
    advice = "The A100 server hangs: look at its GPU, restart it."


class A100RejectedError(A100Error):
    """The A100 server refused the request (4xx)."""

    code = "A100_REJECTED"
    retryable = False
    advice = "The contract changed or the pictures were refused: run the contract suite against it."


class A100BadAnswerError(A100Error):
    """The A100 server's answer breaks its contract, or a result is not a picture."""

    code = "A100_BAD_ANSWER"
    advice = "Run the contract suite against the A100 server."


# ---------------------------------------------------------------- what Temporal adds
class TemporalUnavailableError(PipelineError):
    """Temporal gave no answer, or refused the gateway's credentials."""

    code = "TEMPORAL_UNAVAILABLE"
    http_status = 503
    advice = "Is Temporal up and reachable at TEMPORAL_ADDRESS, and are the namespace and credentials right?"


class StepTimeoutError(PipelineError):
    """The last attempt of a step was cut off: its worker died, stood still, or was stopped before it was done."""

    code = "STEP_TIMEOUT"
    http_status = 504
    steps = _EVERY_STEP
    advice = "Look for workers that died or were starved of CPU."


class WorkflowTerminatedError(PipelineError):
    """An operator terminated the workflow."""

    code = "WORKFLOW_TERMINATED"
    steps = _EVERY_STEP
    advice = "Temporal's web UI shows who terminated it and why."


class WorkflowTimedOutError(PipelineError):
    """The whole try-on took longer than its execution timeout."""

    code = "WORKFLOW_TIMED_OUT"
    http_status = 504
    steps = _EVERY_STEP
    advice = "No worker was up for long: look at the workers and the task queues' backlog."
