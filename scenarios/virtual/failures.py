"""How an attempt's failure is told to the server, which is to make of it what it would of the real one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from .retries import timeout_error_type
from .wire import TIMEOUT_TYPES, ended_detail

NO_TIME = "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
"""What the server says of a schedule_to_close that has passed, or would before the next attempt."""


class ExpiredError(Exception):
    """A timeout of the server's has passed; its argument is the timeout's name, as `HEARTBEAT`."""


def as_application_error(error: Exception, beaten: Sequence[Any]) -> tuple[ApplicationError, str | None]:
    """Return the error that stands for another one, and the name of the timeout that this is.

    Args:
        error: with which the attempt ended.
        beaten: the details of its last heartbeat.
    """
    if isinstance(error, ExpiredError):
        timeout = str(error)
        message = NO_TIME if timeout == "SCHEDULE_TO_CLOSE" else f"activity {TIMEOUT_TYPES[timeout]} timeout"
        final = timeout.startswith("SCHEDULE")
        return ApplicationError(message, *beaten, type=timeout_error_type(timeout), non_retryable=final), timeout
    if isinstance(error, ApplicationError):
        return error, None
    failure = ApplicationError(str(error), type=type(error).__name__)
    return failure.with_traceback(error.__traceback__), None


def last(failure: ApplicationError, at: float, timeout: str | None, state: str | None) -> ApplicationError:
    """Return a failure after which there is no other attempt.

    Args:
        failure: what its code raised, or what stands for a timeout.
        at: the instant of its story.
        timeout: the timeout's name.
        state: why there is no other, as the server names it; None: since its error allows none.
    """
    detail = ended_detail(at, timeout=timeout, state=state, final=failure.non_retryable)
    return copied(failure, (*failure.details, RawValue(detail)), None, final=True)


def copied(
    error: ApplicationError, details: Sequence[Any], delay: timedelta | None, *, final: bool
) -> ApplicationError:
    """Return an error like another, with details, a delay and a finality of its own."""
    copy = ApplicationError(
        error.message, *details, type=error.type, non_retryable=final, next_retry_delay=delay, category=error.category
    )
    return copy.with_traceback(error.__traceback__)
