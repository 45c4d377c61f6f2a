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
from math import floor, inf
from typing import Any

from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from app.attempts.heartbeat import Heart, beating
from app.pipeline import policies
from scenarios.world.timelines import Attempt, Happening, Timeline, Timelines, longest_silence
from scenarios.world.virtual_clock import AttemptClock, on_grid
from scenarios.world.virtual_workflow import BEGIN_HEADER, ENDED, USED, Envelope, VirtualWorkflow, copied


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
        return VirtualWorkflow


# ---------------------------------------------------------------- activities
_running: ContextVar["_Running"] = ContextVar("running attempt")


class _Running:
    """The attempt of the current task: its record, its clock, and the details that a heartbeat repeats."""

    def __init__(self, timeline: Timeline, attempt: Attempt, base: float, start: float) -> None:
        info = activity.info()
        limit = info.start_to_close_timeout.total_seconds() if info.start_to_close_timeout else inf
        self.timeline = timeline
        self.attempt = attempt
        self.base = base
        self.details: tuple[Any, ...] = tuple(info.heartbeat_details)
        self._hearts: dict[Heart, float] = {}
        self.clock = AttemptClock(start, limit=limit, events=timeline.pending(), beat=self._beat, passing=self._passes)

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
        base = timeline.bases.setdefault(info.workflow_run_id or "", timeline.length)
        start = timeline.resumes.pop(info.activity_id, None) if info.attempt > 1 else None
        if start is None:
            start = timeline.start_after_cancelled(base + float(input.headers[BEGIN_HEADER].data))
        timeline.compare(start, info.started_time.timestamp())
        attempt = Attempt(info.activity_type, info.attempt, timeline.since_began(start))
        running = _Running(timeline, attempt, base, start)
        clock = running.clock
        clock.enter()
        _running.set(running)
        due = [event for event in clock.events if event.at <= clock.start]
        if due:  # it falls into the backoff that has just passed, or before the first attempt: the body does not run
            timeline.happenings.append(Happening(attempt.began, "cancel"))
            await clock.stop_at(due[0])
        timeline.attempts.append(attempt)
        try:
            value = await super().execute_activity(input)
        except (asyncio.CancelledError, CancelledError):
            _end(running, "cancelled")
            if clock.stopped_at is not None:
                timeline.happenings.append(Happening(timeline.since_began(clock.stopped_at), "cancel"))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the server gets it with the time it took
            failure = _application_error(error)
            ended = _end(running, failure.type or type(failure).__name__, failure.message)
            raise _given_back(failure, running, ended) from error.__cause__
        ended = _end(running, "completed")
        return Envelope[Any](used=clock.elapsed(), ended=timeline.since_began(ended) - base, value=value)


def _end(running: _Running, outcome: str, message: str = "") -> float:
    """Write down how an attempt ended, and what no timeout of the server's would have let pass. Return the instant."""
    timeline, attempt, clock = running.timeline, running.attempt, running.clock
    info = activity.info()
    ended = on_grid(clock.start + clock.elapsed())
    timeline.reach(ended)
    attempt.ended, attempt.outcome, attempt.message = timeline.since_began(ended), outcome, message
    timeline.problems += clock.problems
    name = f"attempt {attempt.number} of {attempt.activity}"
    if clock.elapsed() >= clock.limit:
        timeline.problems.append(f"{name} took {clock.elapsed():g} s; its start_to_close is {clock.limit:g} s")
    allowed = info.heartbeat_timeout.total_seconds() if info.heartbeat_timeout else inf
    if longest_silence(attempt) >= allowed:
        timeline.problems.append(
            f"{name} was silent for {longest_silence(attempt):g} s; its heartbeat_timeout is {allowed:g} s"
        )
    return ended


def _application_error(error: Exception) -> ApplicationError:
    """Return the error that the SDK would send for an exception: itself, or one of its type's name."""
    if isinstance(error, ApplicationError):
        return error
    failure = ApplicationError(str(error), type=type(error).__name__)
    failure.__traceback__ = error.__traceback__
    return failure


def _given_back(error: ApplicationError, running: _Running, ended: float) -> ApplicationError:
    """Return the error with the attempt's time: in the delay before the next one, or in the details of the last."""
    timeline, used = running.timeline, running.clock.elapsed()
    delay = delay_before_retry(error, activity.info())
    if delay is None:
        told = {USED: used, ENDED: timeline.since_began(ended) - running.base}
        return copied(error, (*error.details, told), None)
    running.attempt.backoff = delay
    resume = on_grid(ended + delay)
    due = min((event.at for event in timeline.pending()), default=inf)
    if due < resume:  # the next attempt begins at the event, only to let it happen
        delay -= resume - due
        resume = due
    timeline.resumes[activity.info().activity_id] = resume
    timeline.reach(resume)
    return copied(error, tuple(error.details), timedelta(seconds=used + delay))


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
