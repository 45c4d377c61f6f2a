"""The server's rules for another attempt, of an activity or of a whole workflow."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import RetryPolicy as ProtoPolicy
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from .wire import TIMEOUT_TYPES


def delay_before_retry(policy: RetryPolicy, attempt: int, asked: float | None = None) -> float | None:
    """Return the seconds before the next attempt, None when the policy allows none.

    Args:
        policy: the retry policy.
        attempt: the number of the one that failed, from 1.
        asked: the delay that its error asks for.
    """
    if policy.maximum_attempts and attempt >= policy.maximum_attempts:
        return None
    if asked is not None:
        return asked
    first = policy.initial_interval.total_seconds()
    longest = policy.maximum_interval.total_seconds() if policy.maximum_interval else 100 * first
    return float(min(first * policy.backoff_coefficient ** (attempt - 1), longest))


def delay_after_error(policy: RetryPolicy, attempt: int, error: ApplicationError) -> float | None:
    """Return the seconds before an activity's next attempt, None when there is none."""
    if is_final(policy, error):
        return None
    asked = error.next_retry_delay.total_seconds() if error.next_retry_delay is not None else None
    return delay_before_retry(policy, attempt, asked)


def is_final(policy: RetryPolicy, error: ApplicationError) -> bool:
    """Say whether there is no other attempt after an error, however many are left."""
    return error.non_retryable or error.type in (policy.non_retryable_error_types or ())


def retry_of_run(
    policy: RetryPolicy | None, attempt: int, failure: Failure
) -> "tuple[float | None, RetryState.ValueType]":
    """Return the seconds before a workflow's next run, None when there is none, and in what state that leaves it."""
    if policy is None:
        return None, RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET
    if not _retryable(failure, policy.non_retryable_error_types or ()):
        return None, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    info = failure.application_failure_info
    asked = info.next_retry_delay.ToNanoseconds() / 1e9 if info.HasField("next_retry_delay") else None
    delay = delay_before_retry(policy, attempt, asked)
    if delay is None:
        return None, RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
    return delay, RetryState.RETRY_STATE_IN_PROGRESS


def _retryable(failure: Failure, not_these: Sequence[str]) -> bool:
    kind = failure.WhichOneof("failure_info")
    if kind in ("terminated_failure_info", "canceled_failure_info"):
        return False
    if kind == "timeout_failure_info":
        name = TimeoutType.Name(failure.timeout_failure_info.timeout_type).removeprefix("TIMEOUT_TYPE_")
        return name in ("START_TO_CLOSE", "HEARTBEAT") and timeout_error_type(name) not in not_these
    if kind == "server_failure_info":
        return not failure.server_failure_info.non_retryable
    info = failure.application_failure_info
    return not (info.non_retryable or info.type in not_these)


def timeout_error_type(timeout: str) -> str:
    """Return the name by which a policy's list of errors knows a timeout."""
    return f"TemporalTimeout:{TIMEOUT_TYPES[timeout]}"


def policy_as_json(policy: RetryPolicy | ProtoPolicy | None) -> dict[str, Any] | None:
    """Return a policy in a form that a header can hold."""
    if policy is None:
        return None
    proto = policy
    if isinstance(policy, RetryPolicy):
        proto = ProtoPolicy()
        policy.apply_to_proto(proto)
    return MessageToDict(proto)  # type: ignore[arg-type]


def policy_from_json(told: dict[str, Any] | None) -> RetryPolicy | None:
    """Return the policy that a header holds."""
    return RetryPolicy.from_proto(ParseDict(told, ProtoPolicy())) if told is not None else None
