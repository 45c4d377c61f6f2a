"""What surrounds every activity: heartbeats, logs, metrics, and the translation of our errors into Temporal's."""

import time
from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from app.attempts.heartbeat import heartbeats
from app.errors import PipelineError
from app.errors.temporal import of_attempt
from app.process.telemetry import describe_attempt, describe_failure

log = structlog.get_logger(__name__)


class PipelineInterceptor(Interceptor):
    """Wraps each activity of the pipeline."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Return the wrapper around the next interceptor."""
        return _ActivityFrame(next)


class _ActivityFrame(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        began = time.perf_counter()
        outcome = "ok"
        with structlog.contextvars.bound_contextvars(
            workflow_id=info.workflow_id, step=info.activity_type, attempt=info.attempt
        ):
            describe_attempt(info.activity_type, info.attempt)
            try:
                async with heartbeats():
                    return await super().execute_activity(input)
            except PipelineError as error:
                outcome = error.code
                describe_failure(error.code)
                cause = type(error.__cause__).__name__ if error.__cause__ else None
                log.warning("attempt failed", code=error.code, message=error.message, cause=cause, said=error.said)
                # No cause: a library's message may hold an address or a signature, and this goes into the history.
                raise of_attempt(error) from None
            except Exception:
                outcome = PipelineError.code
                describe_failure(outcome)
                log.exception("attempt failed unexpectedly")
                raise of_attempt(PipelineError("An unexpected error in the backend")) from None
            except BaseException:
                outcome = "cancelled"
                raise
            finally:
                _record(info.activity_type, outcome, time.perf_counter() - began)


def _record(step: str, outcome: str, seconds: float) -> None:
    """Count the attempt in the SDK's own metrics, so that one endpoint serves both."""
    meter = activity.metric_meter().with_additional_attributes({"step": step, "outcome": outcome})
    meter.create_counter("tryon_attempts", "Attempts of each step by outcome").add(1)
    meter.create_histogram_float("tryon_attempt_seconds", "Duration of attempts", "s").record(seconds)
