"""Temporal's side of virtual time: interceptors that give each attempt a clock and the server the time that it used.

Time skipping jumps over retry backoffs and workflow timers, never over an activity in flight. So an attempt that claims
37 s ends after milliseconds, and its seconds have to reach the server another way: an attempt that will be retried adds
them to the delay before the next one; a last one sends them with its result or in the details of its failure, where the
workflow interceptor takes them out again and lets a timer pass. All of it is in the history, so a simulated history
replays with these interceptors.

They must be the outermost ones: what they see is what the server would.
"""

import asyncio
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from math import floor, inf
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, create_model
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from app import policies
from app.heartbeat import Heart, beating
from scenarios.engine.timelines import Attempt, Happening, Timeline, Timelines, longest_silence
from scenarios.engine.virtual_clock import AttemptClock, on_grid

USED = "simulated_seconds"
Value = TypeVar("Value")


class Envelope(BaseModel, Generic[Value]):
    """A result, and the virtual seconds that its attempt used."""

    used: float
    value: Value


class VirtualTime(Interceptor):
    """The worker's interceptor. `timelines` is where the attempts are written down."""

    def __init__(self, timelines: Timelines | None = None) -> None:
        self.timelines = timelines or Timelines()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - SDK's
        """Give each attempt a clock."""
        return _VirtualActivity(next, self.timelines)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's signature
    ) -> type[WorkflowInboundInterceptor]:
        """Let workflows catch up with what their activities used."""
        return _VirtualWorkflow


# ---------------------------------------------------------------- activities
_running: ContextVar["_Running"] = ContextVar("running attempt")


class _Running:
    """The attempt of the current task: its record, its clock, and the details that a heartbeat repeats."""

    def __init__(self, timeline: Timeline, attempt: Attempt, details: tuple[Any, ...]) -> None:
        info = activity.info()
        limit = info.start_to_close_timeout.total_seconds() if info.start_to_close_timeout else inf
        self.timeline = timeline
        self.attempt = attempt
        self.details = details
        self._hearts: dict[Heart, float] = {}
        self.clock = AttemptClock(
            timeline.now, limit=limit, events=timeline.pending(), beat=self._beat, passing=self._passes
        )

    def _beat(self) -> None:
        activity.heartbeat(*self.details)

    def _passes(self, since: float, until: float) -> None:
        """Note the heartbeats of a heart that beats beside the work: on wall time in fact, so here as it would."""
        heart, interval = beating.get(), policies.HEARTBEAT_INTERVAL
        if heart is None:
            return
        began = self._hearts.setdefault(heart, since)
        beats = range(floor((since - began) / interval) + 1, floor((until - began) / interval) + 1)
        self.attempt.heartbeats += [self.timeline.since_began(began + beat * interval) for beat in beats]

    def noted(self, details: tuple[Any, ...]) -> None:
        self.details = details
        if beating.get() is None and self.clock.stopped_at is None:
            self.attempt.heartbeats.append(self.timeline.since_began(self.clock.now()))


class _Heartbeats(ActivityOutboundInterceptor):
    def heartbeat(self, *details: Any) -> None:
        _running.get().noted(details)
        super().heartbeat(*details)


class _VirtualActivity(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, timelines: Timelines) -> None:
        super().__init__(following)
        self._timelines = timelines

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(_Heartbeats(outbound))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        timeline = self._timelines.of(info.workflow_id or "")
        timeline.begin(info.scheduled_time.timestamp())
        timeline.compare(info.started_time.timestamp())
        attempt = Attempt(info.activity_type, info.attempt, timeline.length)
        running = _Running(timeline, attempt, tuple(info.heartbeat_details))
        clock = running.clock
        clock.enter()
        _running.set(running)
        due = [event for event in clock.events if event.at <= clock.start]
        if due:  # it falls into the backoff that has just passed, or before the first attempt: the body does not run
            timeline.happenings.append(Happening(timeline.length, "cancel"))
            await clock.stop_at(due[0])
        timeline.attempts.append(attempt)
        try:
            value = await super().execute_activity(input)
        except (asyncio.CancelledError, CancelledError):
            _end(running, "cancelled")
            if clock.stopped_at is not None:
                timeline.happenings.append(Happening(timeline.length, "cancel"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the server gets it with the time it took
            failure = _application_error(error)
            _end(running, failure.type or type(failure).__name__, failure.message)
            raise _given_back(failure, running) from error.__cause__
        _end(running, "completed")
        return Envelope[Any](used=clock.elapsed(), value=value)


def _end(running: _Running, outcome: str, message: str = "") -> None:
    """Write down how an attempt ended, and what no timeout of the server's would have let pass."""
    timeline, attempt, clock = running.timeline, running.attempt, running.clock
    info = activity.info()
    timeline.now = on_grid(clock.start + clock.elapsed())
    attempt.ended, attempt.outcome, attempt.message = timeline.length, outcome, message
    timeline.problems += clock.problems
    name = f"attempt {attempt.number} of {attempt.activity}"
    if clock.elapsed() >= clock.limit:
        timeline.problems.append(f"{name} took {clock.elapsed():g} s; its start_to_close is {clock.limit:g} s")
    allowed = info.heartbeat_timeout.total_seconds() if info.heartbeat_timeout else inf
    if longest_silence(attempt) >= allowed:
        timeline.problems.append(
            f"{name} was silent for {longest_silence(attempt):g} s; its heartbeat_timeout is {allowed:g} s"
        )


def _application_error(error: Exception) -> ApplicationError:
    """Return the error that the SDK would send for an exception: itself, or one of its type's name."""
    if isinstance(error, ApplicationError):
        return error
    failure = ApplicationError(str(error), type=type(error).__name__)
    failure.__traceback__ = error.__traceback__
    return failure


def _given_back(error: ApplicationError, running: _Running) -> ApplicationError:
    """Return the error with the attempt's time: in the delay before the next one, or in the details of the last."""
    timeline, used = running.timeline, running.clock.elapsed()
    delay = delay_before_retry(error, activity.info())
    if delay is None:
        return _copy(error, (*error.details, {USED: used}), None)
    running.attempt.backoff = delay
    timeline.now = on_grid(timeline.now + delay)
    due = min((event.at for event in timeline.pending()), default=inf)
    if due < timeline.now:  # the next attempt begins at the event, only to let it happen
        delay -= timeline.now - due
        timeline.now = due
    return _copy(error, tuple(error.details), timedelta(seconds=used + delay))


def _copy(error: ApplicationError, details: tuple[Any, ...], delay: timedelta | None) -> ApplicationError:
    copy = ApplicationError(
        error.message,
        *details,
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=delay,
        category=error.category,
    )
    copy.__cause__ = error.__cause__
    return copy.with_traceback(error.__traceback__)


def delay_before_retry(error: ApplicationError, info: activity.Info) -> float | None:
    """Return the seconds that the server would wait before the next attempt, None when there will be none."""
    policy = info.retry_policy or RetryPolicy()
    if error.non_retryable or (error.type and error.type in (policy.non_retryable_error_types or ())):
        return None
    if policy.maximum_attempts and info.attempt >= policy.maximum_attempts:
        return None
    if error.next_retry_delay is not None:
        return error.next_retry_delay.total_seconds()
    first = policy.initial_interval.total_seconds()
    longest = policy.maximum_interval.total_seconds() if policy.maximum_interval else 100 * first
    return float(min(first * policy.backoff_coefficient ** (info.attempt - 1), longest))


# ---------------------------------------------------------------- workflows
@cache
def _envelope_of(result: Any) -> type[BaseModel]:
    return create_model("EnvelopeOf", used=(float, ...), value=(result, ...))


class _VirtualWorkflow(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_CatchUp(outbound))


class _CatchUp(WorkflowOutboundInterceptor):
    """Takes what an attempt used out of its result or failure, and lets a timer pass for it."""

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - the SDK's name
        input.ret_type = _envelope_of(Any if input.ret_type is None else input.ret_type)
        handle = super().start_activity(input)

        async def finish() -> Any:
            try:
                envelope = await handle
            except ActivityError as error:
                used, original = _without_used(error)
                if used:
                    await workflow.sleep(used)
                raise original from original.__cause__
            if envelope.used:
                await workflow.sleep(envelope.used)
            return envelope.value

        return cast("workflow.ActivityHandle[Any]", asyncio.ensure_future(finish()))


def _without_used(error: ActivityError) -> tuple[float, ActivityError]:
    """Return the seconds in a failure's details, and the failure as production would have seen it."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.details:
        return 0.0, error
    *details, last = cause.details
    if not isinstance(last, dict) or USED not in last:
        return 0.0, error
    original = ActivityError(
        error.message,
        scheduled_event_id=error.scheduled_event_id,
        started_event_id=error.started_event_id,
        identity=error.identity,
        activity_type=error.activity_type,
        activity_id=error.activity_id,
        retry_state=error.retry_state,
    )
    original.__cause__ = _copy(cause, tuple(details), None)
    return float(last[USED]), original
