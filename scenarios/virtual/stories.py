"""The stories of one client and its workers: which workflow and which run belongs to which, and who waits for them."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import floor
from typing import Any, TypeVar

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from .elsewhere import Elsewhere
from .errors import VirtualTimeError, WaitsForEverError
from .holds import Hold
from .limits import SOON
from .loop import VirtualLoop, in_real_time
from .planned import Planned, waiting_for
from .story import Story, current
from .waiting import Waits
from .wire import FIRED, packed

T = TypeVar("T")

UNKNOWN = "is not registered on this worker"
"""What the SDK's worker says of an activity that it does not know: its next attempt goes the same way."""
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
RUNS = WorkflowExecutionStatus.RUNNING
ASKED_S = 5.0
"""Wall seconds in which the server answers a question."""


class Stories:
    """What client, activities and workflows share. Their stories' audience.

    Args:
        story_of, patience, cancels_at_once: as `VirtualTime` has them.

    Attributes:
        loop: on which everything runs; none in a replayer.
        client: tells workflows that their timers have fired.
        elsewhere: attempts that somebody else completes.
        waits: who waits for stories.
    """

    client: Client
    loop: VirtualLoop

    def __init__(self, story_of: Callable[[str], str] | None, patience: float, *, cancels_at_once: bool) -> None:
        self._cancels_at_once = cancels_at_once
        self._group = story_of or (lambda workflow_id: workflow_id)
        self.waits = Waits(patience, self._redeliver, self._to_come)
        self.elsewhere = Elsewhere()
        self._by_key: dict[str, Story] = {}
        self._by_run: dict[str, Story] = {}
        self._by_workflow: dict[str, Story] = {}
        self._by_group: dict[str, Story] = {}
        self._plans: dict[str, list[Planned]] = {}
        self._workers: set[Worker] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lock = threading.Lock()

    # ---------------------------------------------------------------- what makes and ends them
    @property
    def only_replays(self) -> bool:
        """Whether this plugin belongs to a replayer: nothing happens there."""
        return not hasattr(self, "loop")

    def find(self, workflow_id: str) -> Story:
        """As `VirtualTime.story`."""
        if workflow_id not in self._by_workflow:
            known = ", ".join(sorted(self._by_workflow)[:5]) or "none"
            raise VirtualTimeError(f"no workflow {workflow_id!r} has been started here; there are: {known}")
        return self._by_workflow[workflow_id]

    def of_run(self, run: str) -> Story | None:
        """Return the story of a run that has begun."""
        return self._by_run.get(run)

    def worker_begins(self, worker: Worker) -> None:
        """A worker begins."""
        if not self._workers:
            for story in set(self._by_run.values()):
                story.goes_on()
        self._workers.add(worker)
        self.waits.in_vain = None

    def worker_ends(self, worker: Worker) -> None:
        """A worker ends. Is it the last, nobody waits for attempts any more."""
        self._workers.discard(worker)
        if not self._workers:
            for story in set(self._by_run.values()):
                story.ends()

    def worker_dies(self, worker: Worker, error: Exception) -> None:
        """A worker has ended in an error. Is it the last, nobody waits for stories any more."""
        self.worker_ends(worker)
        if not self._workers:
            cause = error.__cause__ or error  # the SDK says which of its own parts has failed, by what
            self.waits.end(f"its worker has died: {type(cause).__name__}: {cause}", error)

    def known_story(self, workflow_id: str) -> Story | None:
        """Return the story that has a workflow's id, whether it goes on or has ended."""
        return self._by_workflow.get(workflow_id)

    def running_story(self, workflow_id: str) -> Story | None:
        """Return the story of a workflow that runs or is about to begin."""
        story = self._by_workflow.get(workflow_id)
        return story if story and story.expects(workflow_id) else None

    def begin_story(self, workflow_id: str) -> Story:
        """Return the story for a workflow that is started here: the starter's, its group's, or one of its own."""
        with self._lock:
            inside = current.get()
            story = inside or self._of_group(workflow_id) or self._new_story(workflow_id, floor(time.time()))
            self._join(story, workflow_id)
            return story

    def not_begun(self, story: Story, workflow_id: str, ended: Story | None) -> None:
        """Take back a story whose workflow could not be started: the one that had the id before has it again."""
        with self._lock:
            if not story.runs and self._by_workflow.get(workflow_id) is story:
                del self._by_workflow[workflow_id]
                self._by_key.pop(story.key, None)
                if ended is not None:
                    self._by_workflow[workflow_id] = ended

    def story_of_run(self, run: str, workflow_id: str, base: float, key: str | None = None) -> Story:
        """Return the story that a run belongs to. Called from any thread."""
        with self._lock:
            story = self._by_run.get(run) or self._by_key.get(key or "") or self._of_group(workflow_id)
            if story is None:
                story = self._new_story(workflow_id, base)
                if key:
                    story.key = key
                    self._by_key[key] = story
            self._by_run[run] = story
            story.runs.add(run)
            self._join(story, workflow_id)
            # Not before the server has it: what happens at once could come to it sooner than the start.
            for planned in self._plans.pop(workflow_id, []):
                self.loop.call_soon_threadsafe(self._plan, story, planned)
            return story

    def _of_group(self, workflow_id: str) -> Story | None:
        group = self._group(workflow_id)
        return self._by_group.get(group) if group != workflow_id else None

    def _new_story(self, workflow_id: str, base: float) -> Story:
        story = Story(workflow_id, self.loop, self, base)
        story.cancels_at_once = self._cancels_at_once
        self._by_key[story.key] = story
        self._by_group[self._group(workflow_id)] = story
        return story

    def _join(self, story: Story, workflow_id: str) -> None:
        story.workflow_ids.add(workflow_id)
        self._by_workflow[workflow_id] = story
        self.waits.meets(story)

    def forget(self, workflow_id: str) -> None:
        """Drop the story of a workflow that is over, so that memory stays flat over many."""
        self._plans.pop(workflow_id, None)
        story = self._by_workflow.get(workflow_id)
        if story is None:
            return
        for name in story.workflow_ids:
            if self._by_workflow.get(name) is story:
                del self._by_workflow[name]
            self.waits.forget(name)
        for run in story.runs:
            self._by_run.pop(run, None)
        self._by_key.pop(story.key, None)
        self._by_group.pop(self._group(story.name), None)
        story.ends()

    # ---------------------------------------------------------------- what is planned
    def at(self, workflow_id: str, seconds: float, happen: Callable[[], object]) -> Planned:
        """As `VirtualTime.at`."""
        planned = Planned(self.loop, workflow_id, seconds, happen, self._until_done)
        story = self._by_workflow.get(workflow_id)
        if story is None or not (story.expects(workflow_id) or story.running):
            self._plans.setdefault(workflow_id, []).append(planned)
        elif story.now > seconds:
            raise VirtualTimeError(f"{workflow_id} stands at {story.now:g} s: nothing can be planned for {seconds:g} s")
        else:
            self._plan(story, planned)
        return planned

    async def _until_done(self, planned: Planned) -> None:
        done = asyncio.shield(planned.done)
        await self.watched(planned.workflow_id, done, lambda _: not planned.done.done())

    def _plan(self, story: Story, planned: Planned) -> None:
        story.plan(max(planned.at, story.now), self._happens, story, planned)

    def _happens(self, story: Story, planned: Planned) -> None:
        story.plans -= 1
        self.keep(planned.happens_in(story, lambda error: self.waits.fail(story, error)))

    # ---------------------------------------------------------------- what stories ask for
    def waits_for(self, story: Story) -> bool:
        """Say whether time may pass for a story."""
        return self.waits.waited_for(story)

    def tell_fired(self, story: Story, workflow_id: str, hold: Hold, at: float) -> None:
        """Tell a workflow that a timer of its has fired."""
        self.keep(in_real_time(self._tell_fired(story, workflow_id, hold, at)))

    async def _tell_fired(self, story: Story, workflow_id: str, hold: Hold, at: float) -> None:
        handle = self.client.get_workflow_handle(workflow_id, run_id=hold.of)
        while True:  # told twice does no harm
            try:
                return await handle.signal(FIRED, RawValue(packed({"seq": hold.which, "at": at})))
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND:  # the workflow is over
                    return story.release(hold)
                await asyncio.sleep(0.1)

    async def _redeliver(self, story: Story) -> None:
        """Say again what the server has not heard; let it hand over again what no worker has. Else it never would."""
        for run, activity_id in sorted(set(story.scheduled) - set(story.running) - story.resolved):
            workflow_id = story.open_runs.get(run)
            if workflow_id is None:
                continue
            with suppress(RPCError, TimeoutError):
                handle = self.client.get_workflow_handle(workflow_id, run_id=run)
                told = await asyncio.wait_for(handle.describe(), ASKED_S)
                come = story.come.get((run, activity_id), 0)
                pending = [each for each in told.raw_description.pending_activities if each.activity_id == activity_id]
                if unknown := next((each for each in pending if UNKNOWN in each.last_failure.message), None):
                    message = f"{story.name} waits for ever: {unknown.last_failure.message}"
                    self.waits.fail(story, WaitsForEverError(message))
                    break
                started = max((each.attempt for each in pending if each.state == STARTED), default=0)
                ended = story.ended.get((run, activity_id))
                if started == come and ended:
                    await asyncio.wait_for(ended.say_again(self.client), ASKED_S)
                    story.beat()
                if started <= come:
                    continue
                story.lost[run, activity_id] += 1
                lost = ApplicationError("lost on its way to a worker", next_retry_delay=SOON)
                activity = self.client.get_async_activity_handle(
                    workflow_id=workflow_id, run_id=run, activity_id=activity_id
                )
                try:
                    await asyncio.wait_for(activity.fail(lost), ASKED_S)
                except RPCError as error:
                    story.lost[run, activity_id] -= error.status == RPCStatusCode.NOT_FOUND  # it was not there to fail
                    raise
                story.beat()

    async def _to_come(self, story: Story) -> bool:
        """Say whether the server has a task for a workflow, or is too busy to say: it may have refused an answer.

        One that has ended there, and not here, is about to be heard of.
        """
        for run, workflow_id in list(story.open_runs.items()):
            try:
                handle = self.client.get_workflow_handle(workflow_id, run_id=run)
                told = await asyncio.wait_for(handle.describe(), ASKED_S)
            except (RPCError, TimeoutError):
                return True
            if told.status != RUNS or told.raw_description.HasField("pending_workflow_task"):
                return True
        return False

    async def watched(
        self, workflow_id: str, work: Awaitable[T], needs_time: Callable[[Story], bool] | None = None
    ) -> T:
        """Await what needs a workflow's time to pass: its end, unless something else is said."""
        story = self._by_workflow.get(workflow_id)
        needed = needs_time or (lambda story: story.expects(workflow_id))
        with waiting_for(story):
            return await self.waits.watched(workflow_id, story, work, needed)

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a reference to a task while it runs."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
