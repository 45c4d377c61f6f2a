"""One attempt while it runs: its deadlines, its heartbeats, how a cancellation reaches it, how its failure is told."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio import activity
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError

from .attempt import Attempt
from .code import REFUSED, SHUT_DOWN, TIMED_OUT, TIMED_OUT_LOCALLY, Code
from .ended import Ended
from .failures import ExpiredError, as_application_error, copied, last
from .heartbeats import Details, Heartbeats, Throttle
from .holds import Hold
from .limits import SOON, SPARE, Limits, delta
from .loop import in_real_time
from .retries import delay_after_error, is_final
from .story import Story
from .timeouts import Timeouts

T = TypeVar("T")
Said = TypeVar("Said", RawValue, ApplicationError, None)

ASK_S = 0.01
"""Wall seconds between the real heartbeats of an attempt that waits to be cancelled."""
ANSWER_S = 1.0
"""Wall seconds for the answer while its worker ends: the SDK's core, too, may be about to end, and answers no more."""
SILENTLY = "silently"


class Running:
    """An attempt that runs in a story.

    Heartbeats are noted and not sent, since the answer to a real one could bring a cancellation that is asked for
    later. One that is asked for is fetched from the server at the next virtual heartbeat, while time stands still.

    Args:
        limits: the activity's timeouts.
        throttle: how far apart its worker sends heartbeats.
        send: sends a real heartbeat.
        threaded: whether its code runs in a thread, which nobody can stop.
    """

    def __init__(
        self,
        story: Story,
        info: activity.Info,
        limits: Limits,
        throttle: Throttle,
        send: Callable[..., None],
        *,
        threaded: bool,
    ) -> None:
        self.story, self._send = story, send
        self.key = (info.workflow_run_id or "", info.activity_id)
        self.local = info.is_local
        newest = story.come.get(self.key, 0)
        story.given_twice += not info.is_local and info.attempt <= newest
        story.come[self.key] = max(info.attempt, newest)
        story.ended.pop(self.key, None)
        scheduled = story.scheduled.get(self.key, story.now)
        policy = info.retry_policy
        if policy and policy.maximum_attempts:
            policy = replace(policy, maximum_attempts=policy.maximum_attempts - SPARE)
        self.timeouts = Timeouts(story, limits, scheduled)
        self.info = replace(
            info,
            attempt=info.attempt - story.lost[self.key],
            retry_policy=policy,
            scheduled_time=self._datetime(scheduled),
            start_to_close_timeout=delta(limits.start_to_close),
            schedule_to_close_timeout=delta(limits.schedule_to_close),
            heartbeat_timeout=delta(limits.heartbeat),
        )
        self.attempt = Attempt(
            info.activity_type, self.info.attempt, story.now, workflow_id=info.workflow_id or "", limits=limits
        )
        self.details: Details = tuple(info.heartbeat_details)
        """Those of the newest heartbeat that the server knows."""
        self._heartbeats = Heartbeats(story, throttle.interval(limits.heartbeat), self._heard)
        self._told = False
        """Whether the server knows a heartbeat of this attempt."""
        self.over = self.elsewhere = False
        self._left: str | None = None
        """How its worker left it, while its code ran."""
        self._cancelling, self._idle = self.key in story.unwanted, False
        self._backoff: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._context = copy_context()
        self.code = Code(story, self._context, threaded=threaded)

    # ---------------------------------------------------------------- from its beginning to its end
    async def queue(self, slot: Awaitable[object]) -> None:
        """Wait for a slot, as a task waits for a worker.

        Raises:
            ExpiredError: no time is left.
        """
        self._idle = True
        if self._cancelling:
            self._ask()
        try:
            with self.timeouts.until_it_starts():
                await self._until_over(_awaiting(slot))
        except ExpiredError:
            self.code.cancel()  # else it would take the slot, for nobody
            raise
        finally:
            self._idle = False

    async def work(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Begin: run the activity's code until it ends, or until the server would end the attempt.

        Raises:
            ExpiredError: a timeout has passed. The code may go on for a while.
        """
        story = self.story
        self.attempt.began = story.now
        story.note(self.attempt)
        begun = self._datetime(story.now)
        self.info = replace(self.info, started_time=begun, current_attempt_scheduled_time=begun)
        self.timeouts.start()
        if self._cancelling and story.cancels_at_once:
            self._ask()
        try:
            return await self._until_over(work)
        except ExpiredError:
            self._outlived()
            raise

    async def _until_over(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = self.code.run(work)
        while not task.done() and not self.timeouts.have_passed:
            try:
                await asyncio.wait({task, self.timeouts.passed}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                if activity.is_worker_shutdown():
                    self.story.free = True
                self._stop_asking()
                self.code.cancel()
        if self._left == SILENTLY and not self.timeouts.have_passed:
            await self.timeouts.passed
        elif self._left and task.cancelled():
            raise ApplicationError("Worker graceful shutdown", type="WorkerShutdown")  # as the SDK's core says it
        elif task.done():
            return task.result()
        raise ExpiredError(self.timeouts.passed.result())

    def loses_its_worker(self, *, silently: bool) -> None:
        """End its code: its worker has left. The server is told so at once, or finds out by a timeout."""
        if self._idle or not self.code.runs or self.timeouts.have_passed:
            return
        self._left = SILENTLY if silently else "drained"
        if silently:
            self._heartbeats.stop()
        self.code.ends(SHUT_DOWN)

    def _outlived(self) -> None:
        if self.local:
            self.code.outlives(self.story.now, TIMED_OUT_LOCALLY, self._heartbeats.stop)
        else:
            self.code.outlives(self.timeouts.code_ends_at(), TIMED_OUT, self._heartbeats.stop)

    def end(self) -> None:
        """Its code is over."""
        self.over = True
        self._stop_asking()
        if not self.timeouts.have_passed:
            self._heartbeats.stop()
        if not self.elsewhere:
            self.timeouts.stop()

    # ---------------------------------------------------------------- completed from elsewhere
    def completes_elsewhere(self, when_expired: Callable[[ExpiredError], object]) -> None:
        """Its code is over, but somebody else says how it ends: until then its timeouts count."""
        self.elsewhere, self.timeouts.tell = True, when_expired

    def in_story(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Start a task of its story."""
        return self.story.loop.create_task(work, context=self._context.copy())

    @contextmanager
    def reported(self, outcome: str | None) -> Iterator[None]:
        """Say how it ended, while the server is told; the workflow has to hear of it before time goes on."""
        if outcome:
            self.attempt.outcome, self.attempt.ended = outcome, self.story.now
        self.timeouts.stop()
        self.story.hold(Hold("activity", *self.key))
        try:
            yield
        except BaseException:
            self.story.release(Hold("activity", *self.key))
            raise
        self.story.running.pop(self.key, None)

    def says(self, what: Said) -> Said:
        """Keep what the server is about to be told of its end, and return it."""
        if not self.local:
            self.story.ended[self.key] = Ended(self.info.task_token, what)
        return what

    def fails(self, error: Exception) -> None:
        """Write down how it failed."""
        self.attempt.ended = self.story.now
        self.attempt.message = error.message if isinstance(error, ApplicationError) else str(error)
        kind = error.type if isinstance(error, ApplicationError) else None
        self.attempt.outcome = str(error) if isinstance(error, ExpiredError) else kind or type(error).__name__

    # ---------------------------------------------------------------- heartbeats and cancellation
    def beat(self, details: Details) -> None:
        """Take a heartbeat of its code, which the SDK sends now or later, or of who completes it from elsewhere."""
        if self._left or (self.over and not self.elsewhere and not self.timeouts.have_passed):
            return
        if not self.timeouts.have_passed:
            self.attempt.heartbeats.append(self.story.now)
            self.story.beat()
        if self.elsewhere:
            self._heard(details)
        else:
            self._heartbeats.beat(details)

    def _heard(self, details: Details) -> None:
        """Have the server hear a heartbeat. With its answer comes a cancellation that has been asked for."""
        if self.timeouts.have_passed:
            self.code.hears(REFUSED)
            return
        self.details, self._told = details, True
        self.timeouts.listen()
        if (self._cancelling or self.key[0] not in self.story.open_runs) and not self.elsewhere:
            self._ask()

    def cancel_requested(self) -> None:
        """Hear that its workflow wants it cancelled: at once where no code runs, else with the next heartbeat."""
        self._cancelling = True
        if self.local and not self.over:  # the SDK's core says it by itself, any moment
            self.story.hold(Hold("local", *self.key))
        elif self._idle or (self.story.cancels_at_once and self._left != SILENTLY):
            self._ask()

    def _ask(self) -> None:
        if self._asking is None and not self.local:
            self.story.hold(Hold("asking", *self.key))
            self._asking = in_real_time(self._ask_server())

    async def _ask_server(self) -> None:
        unanswered = 0
        known = self._context.run(activity.cancellation_details)
        while self._context.run(activity.cancellation_details) is known:
            self._send(*self.details)
            await asyncio.sleep(ASK_S)
            unanswered += self.story.over
            if unanswered * ASK_S > ANSWER_S:
                self.code.cancel()
                break
        self.story.release(Hold("asking", *self.key))  # a thread is told so only
        if not self._idle:
            self.code.has_heard()
        elif self.code.threaded and (waiting := self._backoff or self.code.task):
            waiting.cancel()

    def _stop_asking(self) -> None:
        self.story.release(Hold("local" if self.local else "asking", *self.key))
        if self._asking:
            self._asking.cancel()

    # ---------------------------------------------------------------- how its failure is told
    async def told(self, error: Exception) -> ApplicationError:
        """Return what to tell the server of a failure; if there will be another attempt, after its backoff."""
        self.timeouts.stop()
        if not isinstance(error, ExpiredError):
            self.details = self._heartbeats.newest(self.details)
            self._heartbeats.stop()
        failure, timeout = as_application_error(error, self.details)
        if self._cancelling and not self.local:  # the server looks at nothing else
            return last(failure, self.story.now, timeout, "CANCEL_REQUESTED")
        policy = self.info.retry_policy or RetryPolicy()
        delay = delay_after_error(policy, self.info.attempt, failure)
        late = delay is not None and self.story.now + delay > self.timeouts.close_by
        if late and timeout:  # the server names the timeout that leaves no time
            failure, timeout = as_application_error(ExpiredError("SCHEDULE_TO_CLOSE"), self.details)
        if late or timeout == "SCHEDULE_TO_CLOSE":
            return last(failure, self.story.now, timeout, "TIMEOUT")
        if delay is None:
            return last(
                failure, self.story.now, timeout, None if is_final(policy, failure) else "MAXIMUM_ATTEMPTS_REACHED"
            )
        self.attempt.backoff = delay
        if self._told and not self.local:
            self._send(*self.details)  # for the next attempt
        self._idle = True
        self._backoff = asyncio.ensure_future(asyncio.sleep(delay))
        try:
            await self._backoff
        except asyncio.CancelledError:
            self.attempt.backoff = None
            raise
        return copied(failure, failure.details, SOON, final=False)

    def _datetime(self, instant: float) -> datetime:
        return datetime.fromtimestamp(self.story.base + instant, UTC)


async def _awaiting(work: Awaitable[Any]) -> Any:
    return await work
