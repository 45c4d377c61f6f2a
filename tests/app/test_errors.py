"""The tree of errors: each code is stable, complete and says what to do."""

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    TimeoutError as TemporalTimeoutError,
    TimeoutType,
)

from app.attempts.failures import describe_failure
from app.attempts.interceptors import application_error
from app.errors import PipelineError, RequestError, TemporalUnavailableError, error_classes
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
        sent = application_error(cls("what happened", retry_after=3))
        assert sent.non_retryable is not cls.retryable
        failure = describe_failure(Step.GENERATING_IMAGES, _activity_error(sent))
        assert (failure.code, failure.message, failure.failed_step) == (cls.code, "what happened", "GENERATING_IMAGES")


def test_temporals_own_timeout_and_unknown_errors_have_codes() -> None:
    late = TemporalTimeoutError("late", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[])
    assert describe_failure(Step.RESIZING_IMAGE, _activity_error(late)).code == "STEP_TIMEOUT"
    for kind in ("KeyError", None):
        other = ApplicationError("some detail with a secret", type=kind)
        failure = describe_failure(Step.RESIZING_IMAGE, _activity_error(other))
        assert (failure.code, failure.message) == ("INTERNAL_ERROR", "An unexpected error in the backend")


def test_a_worker_that_stopped_in_the_middle_is_a_step_that_was_not_done_in_time() -> None:
    cut_off = ApplicationError("Worker is shutting down", type="WorkerShutdown")
    failure = describe_failure(Step.GENERATING_IMAGES, _activity_error(cut_off))
    assert (failure.code, failure.message) == ("STEP_TIMEOUT", "The worker was stopped before the step was done")
