"""The tree of errors: each code is stable, complete and says what to do."""

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    TimeoutError as TemporalTimeoutError,
    TimeoutType,
)

from app.errors import PipelineError, error_classes
from app.errors.request import RequestError
from app.errors.temporal import TemporalUnavailableError, of_attempt, of_step, of_tryon, of_workflow
from app.pipeline.models import Failure
from app.pipeline.policies import ML_RETRY
from app.pipeline.steps import Step

SERVICES = ("IMAGE_MANIPULATOR", "BIREFNET", "SAM3", "A100")
KINDS = ("UNAVAILABLE", "TIMEOUT", "REJECTED", "BAD_ANSWER")


def test_each_service_has_a_code_for_each_way_to_fail() -> None:
    codes = {cls.code for cls in error_classes()}
    assert {f"{service}_{kind}" for service in SERVICES for kind in KINDS} <= codes
    assert {"BIREFNET_JOB_FAILED", "SAM3_JOB_FAILED", "AZURE_UNAVAILABLE", "AZURE_TIMEOUT", "AZURE_REJECTED"} <= codes


def test_every_class_says_what_to_do_and_where_it_happens() -> None:
    for cls in error_classes():
        assert cls.__doc__
        assert cls.advice.endswith((".", "?")), cls
        assert 400 <= cls.http_status <= 599
        if not issubclass(cls, RequestError | TemporalUnavailableError) and cls.retryable:  # those are of a request
            assert cls.steps, cls


def test_one_code_means_one_thing() -> None:
    """Two classes share a code only when one is the other's special case."""
    seen: dict[str, type[PipelineError]] = {}
    for cls in error_classes():
        first = seen.setdefault(cls.code, cls)
        assert issubclass(cls, first), (cls, first)


def test_the_policy_for_ml_services_knows_the_unavailable_a100_by_its_name() -> None:
    assert ML_RETRY.non_retryable_error_types == ["A100UnavailableError"]


def _activity_error(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="generate_images",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


def test_every_error_comes_back_out_of_temporal_with_its_code() -> None:
    for cls in error_classes():
        sent = of_attempt(cls("what happened", retry_after=3))
        assert sent.non_retryable is not cls.retryable
        failure = of_step(Step.GENERATING_IMAGES, _activity_error(sent))
        assert (failure.code, failure.message, failure.failed_step) == (cls.code, "what happened", "GENERATING_IMAGES")


def test_temporals_own_timeout_and_unknown_errors_have_codes() -> None:
    late = TemporalTimeoutError("late", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[])
    assert of_step(Step.RESIZING_IMAGE, _activity_error(late)).code == "STEP_TIMEOUT"
    for kind in ("KeyError", None):
        other = ApplicationError("some detail with a secret", type=kind)
        failure = of_step(Step.RESIZING_IMAGE, _activity_error(other))
        assert (failure.code, failure.message) == ("INTERNAL_ERROR", "An unexpected error in the backend")


def test_a_worker_that_stopped_in_the_middle_is_a_step_that_was_not_done_in_time() -> None:
    cut_off = ApplicationError("Worker is shutting down", type="WorkerShutdown")
    failure = of_step(Step.GENERATING_IMAGES, _activity_error(cut_off))
    assert (failure.code, failure.message) == ("STEP_TIMEOUT", "The worker was stopped before the step was done")


FAILURE_TYPES = """
    A100BadAnswerError A100Error A100RejectedError A100TimeoutError A100UnavailableError AzureBadAnswerError
    AzureNotFoundError AzureRejectedError AzureTimeoutError AzureUnavailableError BirefnetBadAnswerError
    BirefnetJobFailedError BirefnetRejectedError BirefnetTimeoutError BirefnetUnavailableError
    ImageManipulatorBadAnswerError ImageManipulatorRejectedError ImageManipulatorTimeoutError
    ImageManipulatorUnavailableError InvalidImageError PipelineError Sam3BadAnswerError Sam3JobFailedError
    Sam3RejectedError Sam3TimeoutError Sam3UnavailableError
"""
"""As histories hold them: workflows that run while a new version is deployed, and dashboards, go by these."""


def test_the_types_that_attempts_fail_with_stay_what_they_are() -> None:
    assert set(FAILURE_TYPES.split()) <= {cls.__name__ for cls in error_classes()}


def test_types_that_are_gone_are_still_understood() -> None:
    for kind, code in (("BirefnetJobTimeoutError", "BIREFNET_TIMEOUT"), ("Sam3JobTimeoutError", "SAM3_TIMEOUT")):
        failure = of_step(Step.GENERATING_MASK, _activity_error(ApplicationError("late", type=kind)))
        assert (failure.code, failure.message) == (code, "late")


UNEXPECTED = ("INTERNAL_ERROR", "An unexpected error in the backend")


@pytest.mark.parametrize(
    ("status", "said", "code", "message"),
    [
        (WorkflowExecutionStatus.TERMINATED, None, "WORKFLOW_TERMINATED", "The try-on was stopped by an operator"),
        (WorkflowExecutionStatus.TIMED_OUT, None, "WORKFLOW_TIMED_OUT", "The try-on took too long and was ended"),
        (WorkflowExecutionStatus.FAILED, None, *UNEXPECTED),
        (
            WorkflowExecutionStatus.FAILED,
            ApplicationError("x", {"code": 1}),
            "INTERNAL_ERROR",
            "An unexpected error in the backend",
        ),
        (
            WorkflowExecutionStatus.FAILED,
            ApplicationError("x", "text"),
            "INTERNAL_ERROR",
            "An unexpected error in the backend",
        ),
        (WorkflowExecutionStatus.FAILED, KeyError("x"), *UNEXPECTED),
        (
            WorkflowExecutionStatus.FAILED,
            of_workflow(Failure(code="SAM3_TIMEOUT", message="late", failed_step="GENERATING_MASK")),
            "SAM3_TIMEOUT",
            "late",
        ),
    ],
)
def test_how_a_try_on_ended_has_a_code(
    status: WorkflowExecutionStatus, said: BaseException | None, code: str, message: str
) -> None:
    error = WorkflowFailureError(cause=said) if said is not None else None
    failure = of_tryon(status, error, "GENERATING_MASK")
    assert (failure.code, failure.message, failure.failed_step) == (code, message, "GENERATING_MASK")
