"""What an outside service can do wrong. The services that are much alike are rows of one table.

The names of the classes are the types of Temporal's failures, by which policies and running workflows know them.
"""

from dataclasses import dataclass
from typing import cast

from app.errors.base import EVERY_STEP, PipelineError
from app.pipeline.steps import Step


@dataclass(frozen=True)
class ServiceErrors:
    """A service's name as people know it, and its class for each way to fail."""

    service: str
    unavailable: type[PipelineError]
    timeout: type[PipelineError]
    rejected: type[PipelineError]
    bad_answer: type[PipelineError]


@dataclass(frozen=True)
class JobErrors(ServiceErrors):
    """A job can fail in one way more."""

    job_failed: type[PipelineError]


# ---------------------------------------------------------------- Azure Blob Storage
class AzureUnavailableError(PipelineError):
    """Azure gave no answer, 429, 500 or 503."""

    code = "AZURE_UNAVAILABLE"
    http_status = 503
    retryable = True
    steps = EVERY_STEP
    advice = "Look at the storage account's health and network; try again later."


class AzureTimeoutError(PipelineError):
    """Azure did not finish within the call's deadline."""

    code = "AZURE_TIMEOUT"
    http_status = 503
    retryable = True
    steps = EVERY_STEP
    advice = "Look at the storage account's latency and the network between."


class AzureRejectedError(PipelineError):
    """Azure refused: wrong key, no right, or no such container."""

    code = "AZURE_REJECTED"
    http_status = 503
    steps = EVERY_STEP
    advice = "Check AZURE_ACCOUNT_NAME, AZURE_CONTAINER and what opens it: key, SAS or identity."


class AzureNotFoundError(AzureRejectedError):
    """A blob that must exist does not."""

    code = "AZURE_NOT_FOUND"
    advice = "Something deleted the blob: check the lifecycle rules of the container."


class AzureBadAnswerError(PipelineError):
    """What Azure holds under the name is not what was put there."""

    code = "AZURE_BAD_ANSWER"
    retryable = True
    http_status = 503
    steps = EVERY_STEP
    advice = "Something else writes to the container, or a proxy between mangles answers."


class BlobTooLargeError(AzureBadAnswerError):
    """A blob is larger than anything that belongs under its name."""


class BlobEmptyError(AzureBadAnswerError):
    """A blob has no bytes, as an upload leaves it that was broken off."""


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


A100_ERRORS = ServiceErrors(
    service="The A100 server",
    unavailable=A100Error,
    timeout=A100TimeoutError,
    rejected=A100RejectedError,
    bad_answer=A100BadAnswerError,
)


# ---------------------------------------------------------------- the image manipulator, BiRefNet, SAM3
@dataclass(frozen=True)
class _Way:
    """What a way to fail means, and what to do about it. `{it}` is the service, `^{it}` at the head of a text."""

    meaning: str
    advice: str
    retryable: bool = True


_WAYS = {
    "unavailable": _Way("^{it} gave no answer, 429 or 5xx.", "Is {it} up and reachable at {prefix}_URL?"),
    "timeout": _Way("^{it} did not finish within its deadline.", "^{it} hangs, or is overloaded: look at its load."),
    "rejected": _Way(
        "^{it} refused the request (4xx).",
        "The contract changed or the picture was refused: run the contract suite against it.",
        retryable=False,
    ),
    "bad_answer": _Way(
        "^{it} broke its contract, or its result does not fit the picture.", "Run the contract suite against {it}."
    ),
}
_JOB_WAYS = _WAYS | {
    "timeout": _Way(
        "^{it} did not answer, or finish its job, in time.",
        "^{it} hangs, or its jobs are stuck: look at its queue and its GPU.",
    ),
    "job_failed": _Way("^{it} says that the job failed, or has lost it.", "Look for the job in {it}'s logs."),
}


def _classes(service: str, prefix: str, ways: dict[str, _Way], *steps: Step) -> dict[str, type[PipelineError]]:
    """Make a service's classes: SAM3's `bad_answer` is Sam3BadAnswerError with the code SAM3_BAD_ANSWER."""

    def text(words: str) -> str:
        at_first, inside = service, service.replace("The ", "the ")
        return words.replace("{it}", inside).replace(f"^{inside}", at_first).replace("{prefix}", prefix)

    return {
        field: cast(
            "type[PipelineError]",
            type(
                "".join(part.capitalize() for part in f"{prefix}_{field}".split("_")) + "Error",
                (PipelineError,),
                {
                    "__doc__": text(way.meaning),
                    "__module__": __name__,
                    "code": f"{prefix}_{field.upper()}",
                    "http_status": 502,
                    "retryable": way.retryable,
                    "steps": steps,
                    "advice": text(way.advice),
                },
            ),
        )
        for field, way in ways.items()
    }


IMAGE_MANIPULATOR_ERRORS = ServiceErrors(
    "The image manipulator",
    **_classes("The image manipulator", "IMAGE_MANIPULATOR", _WAYS, Step.RESIZING_IMAGE, Step.CHECKING_ZOOM),
)
BIREFNET_ERRORS = JobErrors("BiRefNet", **_classes("BiRefNet", "BIREFNET", _JOB_WAYS, Step.REMOVING_BACKGROUND))
SAM3_ERRORS = JobErrors("SAM3", **_classes("SAM3", "SAM3", _JOB_WAYS, Step.GENERATING_MASK))
