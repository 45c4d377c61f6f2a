"""The worker's side of activities: each attempt runs in the story of its workflow."""

import asyncio
import inspect
import threading
from typing import Any

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from .heartbeats import Throttle
from .holds import Hold
from .internals import CompletesElsewhere
from .limits import Limits
from .running import Running
from .stories import Stories
from .story import current
from .wire import LIMITS_HEADER, mark_ended, take_header


class ActivitySide(Interceptor):
    """The interceptor of one worker. Each story has its places for itself, as all semaphores (`shared`).

    Args:
        slots: how many attempts of one story its worker runs at once, in virtual time.
        local_slots: how many local ones.
        threads: how many of those that are not coroutines run at once; None: as many as there are.
        throttle: how far apart it sends heartbeats.
    """

    def __init__(self, stories: Stories, slots: int, local_slots: int, threads: int | None, throttle: Throttle) -> None:
        self._stories, self._throttle = stories, throttle
        self._places = [asyncio.Semaphore(places) for places in (slots, local_slots, threads or slots)]

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - SDK's
        """Wrap one attempt."""
        return _Inbound(next, self._stories, self._throttle, *self._places)


class _Inbound(ActivityInboundInterceptor):
    running: Running | None = None

    def __init__(
        self, following: ActivityInboundInterceptor, stories: Stories, throttle: Throttle, *places: asyncio.Semaphore
    ) -> None:
        super().__init__(following)
        self._stories, self._throttle = stories, throttle
        self._remote, self._local, self._threads = places

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._outbound = outbound
        super().init(_Outbound(outbound, self))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        if info.workflow_id is None or info.workflow_run_id is None:  # without a workflow there is no story
            return await super().execute_activity(input)
        headers = dict(input.headers)
        limits = Limits(**take_header(headers, LIMITS_HEADER))
        input.headers = headers
        story = self._stories.story_of_run(info.workflow_run_id, info.workflow_id, info.started_time.timestamp())
        token = current.set(story)
        self.running = running = Running(
            story, info, limits, self._throttle, self._outbound.heartbeat, threaded=not _is_coroutine(input.fn)
        )
        story.running[running.key] = running
        story.local += running.local
        story.release(Hold("local" if running.local else "activity", *running.key))
        try:
            return await self._attempt(running, input)
        finally:
            self._end(running)
            current.reset(token)

    async def _attempt(self, running: Running, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as the SDK's
        story, attempt = running.story, running.attempt
        pool = self._local if running.local else self._remote
        try:
            value = await self._in_slot(running, pool, input)
            payload = _payload(value)
            attempt.outcome = "completed"
            mark_ended(payload, story.now)
            return running.says(RawValue(payload))
        except (asyncio.CancelledError, CancelledError):
            attempt.outcome = "cancelled"
            running.says(None)
            raise
        except CompletesElsewhere:
            self._stories.elsewhere.add(running)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the server gets it after its backoff
            running.fails(error)
            raise running.says(await running.told(error)) from error.__cause__

    async def _in_slot(self, running: Running, pool: asyncio.Semaphore, input: ExecuteActivityInput) -> Any:  # noqa: A002
        while (left := running.story.no_worker_until - running.story.now) > 0:
            await running.queue(asyncio.sleep(left))
        if pool.locked():
            await running.queue(pool.acquire())
        else:
            await pool.acquire()
        try:
            return await running.work(self._code(input))
        finally:
            running.code.when_done(pool.release)

    async def _code(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as the SDK's
        if _is_coroutine(input.fn):
            return await super().execute_activity(input)
        async with self._threads:
            return await super().execute_activity(input)

    def _end(self, running: Running) -> None:
        story, run = running.story, running.key[0]
        story.local -= running.local
        running.end()
        if running.elsewhere:
            return
        if running.attempt.ended is None:
            running.attempt.ended = story.now
        story.running.pop(running.key, None)
        goes_on = running.key in story.abandoned and running.attempt.backoff is not None
        if (running.key not in story.resolved or goes_on) and run in story.open_runs:
            # Until the workflow has heard of it, or the next attempt begins.
            story.hold(Hold("local" if running.local else "activity", *running.key))
        story.beat()


class _Outbound(ActivityOutboundInterceptor):
    def __init__(self, following: ActivityOutboundInterceptor, inbound: _Inbound) -> None:
        super().__init__(following)
        self._inbound = inbound

    def info(self) -> activity.Info:
        return self._inbound.running.info if self._inbound.running else super().info()

    def heartbeat(self, *details: Any) -> None:
        running = self._inbound.running
        if running is None:
            super().heartbeat(*details)
        elif running.story.loop.is_own_thread(threading.get_ident()):
            running.beat(details)
        else:
            running.story.loop.call_soon_threadsafe(running.beat, details)


def _is_coroutine(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _payload(value: Any) -> Payload:
    if isinstance(value, RawValue):
        payload = Payload()
        payload.CopyFrom(value.payload)
        return payload
    return activity.payload_converter().to_payload(value)
