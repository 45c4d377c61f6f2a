"""Every timeout and retry policy of the pipeline, as data in one place. All durations are seconds.

The specification's Retry Policies and Workflow Logic give retries and start_to_close. `remove_background` and
`generate_mask` have 130 s, so that their own limit of 120 s from the submit ends in the application's error. Each
call's deadline is a little under its start_to_close for the same reason.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio.common import RetryPolicy

from app.errors.services import A100UnavailableError

IMAGE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=5,
)
ML_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=3,
    non_retryable_error_types=[A100UnavailableError.__name__],
)

HEARTBEAT_TIMEOUT = 10.0
"""A worker that died is noticed after this long, whichever step it was at."""

HEARTBEAT_INTERVAL = 1.5
"""How often an attempt beats beside its work. A cancellation arrives with the answer to a beat; it may take 2 s in all.

Each beat is an action on Temporal Cloud: docs/performance.md has the trade-off.
"""

HEARTBEAT_THROTTLE = 1.0
"""The worker sends at most one heartbeat of an attempt in this time; its answer carries a cancellation."""

POLL_INTERVAL = 2.0
"""Between two polls of a job (specification, BiRefNet: "Poll every 2 seconds")."""

JOB_LIMIT = 120.0
"""From the submit of a job until it is given up (specification, BiRefNet: "timeout after 2 minutes")."""

JOB_GRACE = 10.0
"""A job may be unknown (404) for so long after its submit: the service may not have written it down everywhere yet."""

JOB_LOST_AFTER = 3
"""So many polls in a row that know nothing of a job (404), after its grace: it is lost."""

POLL_DEADLINE = 25.0
"""One poll. A submit may take as long as its job: a service that is cold answers when it is warm."""

RETRY_AFTER_LIMIT = 60.0
"""A service's Retry-After is honoured up to this."""


@dataclass(frozen=True)
class StepPolicy:
    """How one activity is run. `deadline` bounds the attempt's own work and is under `start_to_close`."""

    start_to_close: float
    deadline: float
    retry: RetryPolicy

    @property
    def start_to_close_timeout(self) -> timedelta:
        """The server's timeout for one attempt."""
        return timedelta(seconds=self.start_to_close)


UPLOAD = StepPolicy(start_to_close=30, deadline=27, retry=IMAGE_RETRY)
RESIZE = StepPolicy(start_to_close=30, deadline=27, retry=IMAGE_RETRY)
ZOOM = StepPolicy(start_to_close=30, deadline=27, retry=IMAGE_RETRY)
BACKGROUND = StepPolicy(start_to_close=130, deadline=127, retry=ML_RETRY)
MASK = StepPolicy(start_to_close=130, deadline=127, retry=ML_RETRY)
REFINE = StepPolicy(start_to_close=60, deadline=50, retry=ML_RETRY)
GENERATE = StepPolicy(start_to_close=180, deadline=165, retry=ML_RETRY)


def a100_task_queue(task_queue: str) -> str:
    """Return the task queue of the calls to the A100: its own, so that a limit on them burns none of their timeouts."""
    return f"{task_queue}-a100"
