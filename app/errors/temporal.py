"""What Temporal adds to the errors, and how each goes through it: from an attempt to the workflow, to the gateway."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

from pydantic import ValidationError
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError as TemporalTimeoutError

from app.errors.base import EVERY_STEP, PipelineError, error_classes
from app.pipeline.models import Failure
from app.pipeline.steps import Step


class TemporalUnavailableError(PipelineError):
    """Temporal gave no answer, or refused the gateway's credentials."""

    code = "TEMPORAL_UNAVAILABLE"
    http_status = 503
    advice = "Is Temporal up and reachable at TEMPORAL_ADDRESS, and are the namespace and credentials right?"


class TemporalAnswerLostError(TemporalUnavailableError):
    """Temporal may have done what it was asked to, and only its answer did not come."""

    def __init__(self, message: str, *, retry_after: float, beside: Mapping[str, str] | None = None) -> None:
        """Keep the message, when to come again, and what the answer says beside `error`."""
        super().__init__(message, retry_after=retry_after)
        self.beside = dict(beside or {})


class StepTimeoutError(PipelineError):
    """The last attempt of a step was cut off: its worker died, stood still, or was stopped before it was done."""

    code = "STEP_TIMEOUT"
    http_status = 504
    steps = EVERY_STEP
    advice = "Look for workers that died or were starved of CPU."


class WorkflowTerminatedError(PipelineError):
    """An operator terminated the workflow."""

    code = "WORKFLOW_TERMINATED"
    steps = EVERY_STEP
    advice = "Temporal's web UI shows who terminated it and why."


class WorkflowTimedOutError(PipelineError):
    """The whole try-on took longer than its execution timeout."""

    code = "WORKFLOW_TIMED_OUT"
    http_status = 504
    steps = EVERY_STEP
    advice = "No worker was up for long: look at the workers and the task queues' backlog."


_WORKER_SHUTDOWN = "WorkerShutdown"
"""The type that the SDK gives an attempt which was cut off when the time to drain was over."""

_GONE = {"BirefnetJobTimeoutError": "BIREFNET_TIMEOUT", "Sam3JobTimeoutError": "SAM3_TIMEOUT"}
"""Types of before 0.2.0, with their codes: workflows that were running then have them in their histories."""


def of_attempt(error: PipelineError) -> ApplicationError:
    """Return an attempt's error as Temporal carries it. Its type is the class's name, by which policies know it."""
    return ApplicationError(
        error.message,
        type=type(error).__name__,
        non_retryable=error.final,
        next_retry_delay=timedelta(seconds=error.retry_after) if error.retry_after is not None else None,
    )


def of_step(step: Step, error: ActivityError) -> Failure:
    """Say why the last attempt of a step failed."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        if cause.type == _WORKER_SHUTDOWN:
            message = "The worker was stopped before the step was done"
            return Failure(code=StepTimeoutError.code, message=message, failed_step=step)
        if code := _codes().get(cause.type or ""):
            return Failure(code=code, message=cause.message, failed_step=step)
    if isinstance(cause, TemporalTimeoutError):
        message = "No worker finished the step in time"
        return Failure(code=StepTimeoutError.code, message=message, failed_step=step)
    return _unexpected(step)


def of_workflow(failure: Failure) -> ApplicationError:
    """Return the failure of a try-on as Temporal keeps it: the gateway reads it from the details."""
    return ApplicationError(failure.message, failure, type=failure.code, non_retryable=True)


def of_tryon(status: WorkflowExecutionStatus | None, error: WorkflowFailureError | None, step: str) -> Failure:
    """Say why a try-on that ended with this status failed. `step` is the one that it was at."""
    if status is WorkflowExecutionStatus.TERMINATED:
        message = "The try-on was stopped by an operator"
        return Failure(code=WorkflowTerminatedError.code, message=message, failed_step=step)
    if status is WorkflowExecutionStatus.TIMED_OUT:
        message = "The try-on took too long and was ended"
        return Failure(code=WorkflowTimedOutError.code, message=message, failed_step=step)
    if error is not None and isinstance(error.cause, ApplicationError) and error.cause.details:
        try:
            return Failure.model_validate(error.cause.details[0])
        except ValidationError:
            pass
    return _unexpected(step)


@cache
def _codes() -> dict[str, str]:
    return _GONE | {cls.__name__: cls.code for cls in error_classes()}


def _unexpected(step: str) -> Failure:
    return Failure(code=PipelineError.code, message="An unexpected error in the backend", failed_step=step)
