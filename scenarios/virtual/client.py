"""The client's side: a start gets its story, a message says when it is sent, who waits for a result lets time pass."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from temporalio.client import (
    AsyncActivityIDReference,
    CancelWorkflowInput,
    CompleteAsyncActivityInput,
    DescribeWorkflowInput,
    FailAsyncActivityInput,
    FetchWorkflowHistoryEventsInput,
    HeartbeatAsyncActivityInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    ReportCancellationAsyncActivityInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    TerminateWorkflowInput,
    WorkflowHandle,
    WorkflowHistoryEventAsyncIterator,
    WorkflowUpdateHandle,
)
from temporalio.common import RawValue, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from .holds import Hold
from .loop import in_real_time, real_io
from .planned import acting_in
from .retries import policy_as_json
from .running import Running
from .runs import Told
from .stories import Stories
from .story import Story, current
from .wire import FIRED, STORY_HEADER, mark_ended, packed

T = TypeVar("T")

BROKEN = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.UNKNOWN, RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)
"""What a wait for a result ends in when its server starves, and not its workflow's end."""
ASKS = 3
"""How often a result is asked for, one after the other, when that happens."""
PAUSE_S = 1.0
"""Wall seconds before the next time."""


class ClientSide(Interceptor):
    """The client's interceptor."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Wrap the client's calls."""
        calls = Calls(next, self._stories)
        self._stories.elsewhere.tell_failed = calls.fail_elsewhere
        return calls


class Calls(OutboundInterceptor):
    """A client's calls. Those that an activity makes count as real I/O of its story."""

    def __init__(self, following: OutboundInterceptor, stories: Stories) -> None:
        super().__init__(following)
        self._stories = stories

    # ---------------------------------------------------------------- starts
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's
        """Start a workflow in its story, with its timeouts, its delay and its retries in virtual time."""
        if input.cron_schedule:  # the server's own time
            return await super().start_workflow(input)
        with self._starting(input) as story:
            if input.start_signal:
                story.numbered("signal", input.id)
            return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002 - the SDK's name
    ) -> WorkflowUpdateHandle[Any]:
        """Start a workflow, if it does not run, and send it an update."""
        with self._starting(input.start_workflow_input) as story:
            update = input.update_workflow_input
            update.headers = {**update.headers, STORY_HEADER: packed({"at": story.now})}
            update.update_id = update.update_id or str(uuid4())
            hold = story.numbered("update", input.start_workflow_input.id)
            started = super().start_update_with_start_workflow(input)
            try:
                with story.awaits(Hold("outcome", hold.of, update.update_id)):
                    handle = await self._waiting(hold.of, started)
            except BaseException:
                story.release(hold)
                raise
        return self._result_waits(story, handle)

    @contextmanager
    def _starting(self, start: Any) -> Iterator[Story]:
        running, ended = self._stories.running_story(start.id), self._stories.known_story(start.id)
        story = running or self._stories.begin_story(start.id)
        told = Told(
            story=story.key,
            base=story.base,
            now=story.now,
            delay=_seconds(start.start_delay) or 0.0,
            run_timeout=_seconds(start.run_timeout),
            execution_timeout=_seconds(start.execution_timeout),
            policy=policy_as_json(start.retry_policy),
        )
        start.headers = {**start.headers, STORY_HEADER: told.header()}
        start.start_delay = start.run_timeout = start.execution_timeout = start.retry_policy = None
        if running and start.id_conflict_policy == WorkflowIDConflictPolicy.TERMINATE_EXISTING:
            running.terminated(start.id)
        begin = None if running and running.expects(start.id) else story.begins(start.id)
        try:
            with real_io(f"Temporal to start {start.id}"):
                yield story
        except BaseException:
            story.release(begin)
            if not running:
                self._stories.not_begun(story, start.id, ended)
            raise

    # ---------------------------------------------------------------- messages
    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """Send a signal: no time passes until it is heard."""
        if input.signal == FIRED:
            await super().signal_workflow(input)
            return
        with self._sending("signal", input.id) as story:
            if story:
                input.headers = {**input.headers, STORY_HEADER: packed({"at": story.now})}
            await super().signal_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """Ask for a cancellation: no time passes until it is heard."""
        with self._sending("cancel", input.id):
            await super().cancel_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        """End a workflow."""
        with real_io(f"Temporal to terminate {input.id}"):
            await super().terminate_workflow(input)
        story = self._stories.running_story(input.id)
        if story:
            story.terminated(input.id)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:  # noqa: A002
        """Send an update: no time passes until it is heard; while somebody waits for its outcome, time passes."""
        with self._sending("update", input.id) as story:
            if story is None:
                return await super().start_workflow_update(input)
            input.headers = {**input.headers, STORY_HEADER: packed({"at": story.now})}
            input.update_id = input.update_id or str(uuid4())
            with story.awaits(Hold("outcome", input.id, input.update_id)):
                handle = await self._waiting(input.id, super().start_workflow_update(input))
        return self._result_waits(story, handle)

    @contextmanager
    def _sending(self, kind: str, workflow_id: str) -> Iterator[Story | None]:
        story = self._stories.running_story(workflow_id)
        hold: Hold | None = story.sends(kind, workflow_id) if story else None
        inside = current.get()
        try:
            if kind == "update" or inside is None:  # an update may take virtual time itself
                yield story
            else:
                with inside.real_io(f"Temporal to take a {kind} to {workflow_id}"):
                    yield story
        except BaseException:
            if story and hold:
                story.release(hold)
            raise

    # ---------------------------------------------------------------- questions
    async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """Ask a workflow."""
        with real_io(f"the answer of {input.id} to a query"):
            return await super().query_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        """Ask the server for a workflow."""
        with real_io(f"Temporal to describe {input.id}"):
            return await super().describe_workflow(input)

    def fetch_workflow_history_events(
        self,
        input: FetchWorkflowHistoryEventsInput,  # noqa: A002 - the SDK's name
    ) -> WorkflowHistoryEventAsyncIterator:
        """Read a history. Who waits for what is not in it yet, as for a result, lets time pass."""
        events = super().fetch_workflow_history_events(input)
        fetch = events.fetch_next_page

        async def until_there(page_size: int | None, asks: int = ASKS) -> None:
            try:
                await fetch(page_size=page_size)
            except RPCError as error:
                if error.status not in BROKEN or input.rpc_timeout or asks == 1:
                    raise
                await in_real_time(asyncio.sleep(PAUSE_S))
                await until_there(page_size, asks - 1)

        async def fetch_next_page(*, page_size: int | None = None) -> None:
            inside = current.get() or acting_in()
            if input.wait_new_event and inside:
                with inside.awaits(Hold("result", input.id)):
                    await self._waiting(input.id, until_there(page_size))
            elif input.wait_new_event:
                await self._waiting(input.id, until_there(page_size))
            else:
                with real_io(f"the history of {input.id}"):
                    await fetch(page_size=page_size)

        events.fetch_next_page = fetch_next_page  # type: ignore[method-assign]
        return events

    async def _waiting(self, workflow_id: str, work: Awaitable[T]) -> T:
        return await self._stories.watched(workflow_id, work)

    def _result_waits(self, story: Story, handle: WorkflowUpdateHandle[T]) -> WorkflowUpdateHandle[T]:
        result: Callable[..., Awaitable[T]] = handle.result

        async def waited(**options: Any) -> T:
            with story.awaits(Hold("outcome", handle.workflow_id, handle.id)):
                return await self._waiting(handle.workflow_id, result(**options))

        handle.result = waited  # type: ignore[method-assign]
        return handle

    # ---------------------------------------------------------------- activities that are completed from elsewhere
    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:  # noqa: A002 - the SDK's
        """Beat for an attempt that somebody else completes."""
        running = self._elsewhere(input.id_or_token)
        if running:
            running.beat(tuple(input.details))
        with real_io("Temporal to take a heartbeat"):
            await super().heartbeat_async_activity(input)

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:  # noqa: A002 - the SDK's
        """Complete an attempt from elsewhere."""
        running = self._elsewhere(input.id_or_token)
        if running is None:
            await super().complete_async_activity(input)
            return
        converter = (input.data_converter_override or self._stories.client.data_converter).payload_converter
        payload = converter.to_payload(input.result)
        mark_ended(payload, running.story.now)
        with running.reported("completed"):
            await super().complete_async_activity(replace(input, result=RawValue(payload)))

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:  # noqa: A002 - the SDK's name
        """Fail an attempt from elsewhere. If there will be another, the server is told after the backoff."""
        running = self._elsewhere(input.id_or_token)
        if running is None:
            await super().fail_async_activity(input)
            return
        telling = self.fail_elsewhere(running, input)
        await asyncio.sleep(0)  # it comes as far as the backoff
        if running.attempt.backoff is None:
            await telling

    def fail_elsewhere(self, running: Running, input: FailAsyncActivityInput) -> "asyncio.Task[None]":  # noqa: A002
        """Tell the server in the attempt's own story that it has failed."""

        async def fail() -> None:
            running.fails(input.error)
            told = await running.told(input.error)
            with running.reported(None):
                await super(Calls, self).fail_async_activity(replace(input, error=told))

        task = running.in_story(fail())
        self._stories.keep(task)
        return task

    async def report_cancellation_async_activity(
        self,
        input: ReportCancellationAsyncActivityInput,  # noqa: A002 - the SDK's name
    ) -> None:
        """Say that an attempt was cancelled elsewhere."""
        running = self._elsewhere(input.id_or_token)
        if running is None:
            await super().report_cancellation_async_activity(input)
            return
        with running.reported("cancelled"):
            await super().report_cancellation_async_activity(input)

    def _elsewhere(self, activity: AsyncActivityIDReference | bytes) -> Running | None:
        return self._stories.elsewhere.find(activity)


def _seconds(delta: Any) -> float | None:
    return delta.total_seconds() if delta else None
