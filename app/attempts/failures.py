"""From the failure of an activity, as Temporal tells it, to the code, message and step that the API shows."""

from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError as TemporalTimeoutError

from app.errors import PipelineError, StepTimeoutError, error_classes
from app.pipeline.models import Failure
from app.pipeline.steps import Step

_WORKER_SHUTDOWN = "WorkerShutdown"
"""The type that the SDK gives an attempt which was cut off when the time to drain was over."""

_BY_NAME = {cls.__name__: cls for cls in error_classes()}


def describe_failure(step: Step, error: ActivityError) -> Failure:
    """Say why the last attempt of a step failed."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        if cause.type == _WORKER_SHUTDOWN:
            message = "The worker was stopped before the step was done"
            return Failure(code=StepTimeoutError.code, message=message, failed_step=step)
        if known := _BY_NAME.get(cause.type or ""):
            return Failure(code=known.code, message=cause.message, failed_step=step)
    if isinstance(cause, TemporalTimeoutError):
        message = "No worker finished the step in time"
        return Failure(code=StepTimeoutError.code, message=message, failed_step=step)
    return Failure(code=PipelineError.code, message="An unexpected error in the backend", failed_step=step)
