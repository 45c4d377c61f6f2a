"""What virtual time writes into histories, and reads from them: headers, one signal, and marks on results and failures.

All that a workflow is told about time is in its history, so that it replays.
"""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import RetryState, TimeoutType
from temporalio.api.failure.v1 import Failure

LIMITS_HEADER = "sim-limits"
"""Of an activity: its timeouts in seconds, as its workflow gave them."""
STORY_HEADER = "sim-story"
"""Of a workflow: its story, its limits, what it continues. Of a signal or an update: when it was sent."""
ENDED = "sim-ended"
"""Metadata of a result, or of the last detail of a failure: when it ended, in seconds since the story began."""
FIRED = "sim-timer-fired"
"""The signal that a timer has fired: `seq` and the instant `at`."""
BEGIN, RUN_OUT = 0, -1
"""Numbers of two timers that no workflow starts: the delay before a run, and its timeout. Theirs begin with 1."""

# How the server names timeouts in messages, and in a retry policy's list of errors that are not retried.
TIMEOUT_TYPES = {
    "START_TO_CLOSE": "StartToClose",
    "SCHEDULE_TO_START": "ScheduleToStart",
    "SCHEDULE_TO_CLOSE": "ScheduleToClose",
    "HEARTBEAT": "Heartbeat",
}


def packed(told: Mapping[str, Any], **metadata: bytes) -> Payload:
    """Return a payload of JSON."""
    return Payload(metadata={"encoding": b"json/plain", **metadata}, data=json.dumps(told).encode())


def unpacked(payload: Payload) -> dict[str, Any]:
    """Return what a payload of JSON holds."""
    told: dict[str, Any] = json.loads(payload.data)
    return told


def take_header(headers: MutableMapping[str, Payload], name: str) -> dict[str, Any]:
    """Take our header out, and return what it holds: nothing when there is none."""
    if name not in headers:  # a map of protobuf makes a missing key when it is popped
        return {}
    told = unpacked(headers[name])
    del headers[name]
    return told


def mark_ended(payload: Payload, at: float) -> None:
    """Write on a result when it came."""
    payload.metadata[ENDED] = repr(at).encode()


def take_ended(payload: Payload) -> float:
    """Take off a result when it came; 0 when it does not say."""
    if ENDED not in payload.metadata:
        return 0.0
    at = float(payload.metadata[ENDED])
    del payload.metadata[ENDED]
    return at


def ended_detail(at: float, *, timeout: str | None, state: str | None, final: bool) -> Payload:
    """Return the last detail of a failure.

    Args:
        at: when it came.
        timeout: the timeout of the server's that it stands for.
        state: why there is no other attempt, as the server names it; None: since its error allows none.
        final: whether its code said that there is to be no other.
    """
    told = {"at": at, "timeout": timeout, "state": state, "final": final}
    return packed(told, **{ENDED: b"1"})


def take_ended_of_failure(failure: Failure) -> float:
    """Take out of an activity's failure when it came, and make it again the timeout that it stands for."""
    local = not failure.HasField("activity_failure_info")  # the SDK's core wraps the failures of others only
    cause = failure if local else failure.cause
    details = cause.application_failure_info.details.payloads
    if not details or ENDED not in details[-1].metadata:
        return 0.0
    told = unpacked(details.pop())
    cause.application_failure_info.non_retryable = told["final"]
    if told["state"] and not local:
        failure.activity_failure_info.retry_state = RetryState.Value(f"RETRY_STATE_{told['state']}")
    if told["timeout"] and local:
        failure.CopyFrom(_local_timeout(told["timeout"]))
    elif told["timeout"]:
        failure.message = "Activity task timed out"
        beaten = list(details)
        # This replaces the other kind of info.
        cause.timeout_failure_info.timeout_type = TimeoutType.Value(f"TIMEOUT_TYPE_{told['timeout']}")
        cause.timeout_failure_info.last_heartbeat_details.payloads.extend(beaten)
        cause.source, cause.stack_trace = "Server", ""
    return float(told["at"])


def _local_timeout(timeout: str) -> Failure:
    failure = Failure(message="Local Activity timed out")
    failure.activity_failure_info.retry_state = RetryState.RETRY_STATE_CANCEL_REQUESTED
    failure.cause.message = "Activity timed out"
    failure.cause.timeout_failure_info.timeout_type = TimeoutType.Value(f"TIMEOUT_TYPE_{timeout}")
    return failure


# A failure of a whole run has no place of its own for a mark; this field is one that converters read JSON from, and in
# which they look for two keys only.
def mark_run_failed(failure: Failure, at: float, retry_state: int) -> None:
    """Write on a child's failure when it came, and why there is no other attempt."""
    if not failure.HasField("encoded_attributes"):
        failure.encoded_attributes.CopyFrom(packed({ENDED: at, "retry_state": retry_state}, **{ENDED: b"1"}))


def take_run_failed(failure: Failure) -> float:
    """Take off a child's failure when it came, and name a run's timeout as the server does."""
    cause, info = failure.cause, failure.child_workflow_execution_failure_info
    if ENDED not in cause.encoded_attributes.metadata:
        return 0.0
    told = unpacked(cause.encoded_attributes)
    cause.ClearField("encoded_attributes")
    info.retry_state = told["retry_state"]
    if cause.HasField("timeout_failure_info") and cause.source == "Server":
        failure.message = "Child Workflow execution timed out"
        info.retry_state = RetryState.RETRY_STATE_TIMEOUT
    return float(told[ENDED])


def run_timed_out() -> Failure:
    """Return the failure of a run whose time is over."""
    failure = Failure(message="Workflow timed out", source="Server")
    failure.timeout_failure_info.timeout_type = TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    return failure
