"""The plugin that puts virtual time together: one object for a client and its workers."""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from math import floor
from typing import Any, TypeVar

from temporalio.client import (
    AsyncActivityIDReference,
    Client,
    ClientConfig,
    FailAsyncActivityInput,
    Plugin as ClientPlugin,
)
from temporalio.common import RawValue
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient
from temporalio.worker import (
    Plugin as WorkerPlugin,
    Replayer,
    ReplayerConfig,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
)

from .activities import ActivitySide
from .client import Calls, ClientSide
from .errors import VirtualTimeError
from .holds import Hold
from .internals import around_answers, threads_of
from .loop import VirtualLoop, in_real_time
from .running import ExpiredError, Running
from .story import Story, current
from .waiting import Waits
from .wire import FIRED, packed
from .workflows import VirtualRunner

T = TypeVar("T")

SLOTS = 100
"""The SDK's own number of attempts that a worker runs at once, of either kind."""
ENOUGH = 10_000
"""Places that a worker really gets: attempts hold theirs while they wait for time, which waits until others begin."""
THROTTLE = timedelta(milliseconds=20)
"""Between two real heartbeats: a cancellation comes with the answer to one."""


class Planned:
    """Something that will happen at an instant of a story. Awaited, it lets time pass until it has happened."""

    def __init__(self, virtual: "VirtualTime", workflow_id: str, at: float, happen: Callable[[], object]) -> None:
        self.workflow_id, self.at, self.happen = workflow_id, at, happen
        self.done: asyncio.Future[None] = virtual.loop.create_future()
        self._virtual = virtual

    def __await__(self) -> Generator[Any, None, None]:
        done = asyncio.shield(self.done)
        yield from self._virtual.watched(self.workflow_id, done, lambda _: not self.done.done()).__await__()


class VirtualTime(ClientPlugin, WorkerPlugin):
    """Virtual time for the workflows of one client and its workers, whose code knows nothing of it.

    Connect the client with `plugins=[virtual]`, on a `VirtualLoop`. Time passes for a workflow only while somebody
    waits for its result, for the outcome of an update, or for a planned instant.

    Args:
        story_of: names the story of a workflow id. Workflows that wait for each other without being parent and child
            need the same one; each has its own unless this says otherwise.
        patience: wall seconds without anything happening after which a wait ends in an error, which names what is
            missing.
        cancels_at_once: whether a cancellation reaches an attempt when it is asked for. Else it comes with the next
            heartbeat, as in life.
    """

    client: Client
    loop: VirtualLoop

    def __init__(
        self,
        *,
        story_of: Callable[[str], str] | None = None,
        patience: float = 30.0,
        cancels_at_once: bool = False,
    ) -> None:
        self._cancels_at_once = cancels_at_once
        self._group = story_of or (lambda workflow_id: workflow_id)
        self._waits = Waits(patience)
        self._by_key: dict[str, Story] = {}
        self._by_run: dict[str, Story] = {}
        self._by_workflow: dict[str, Story] = {}
        self._by_group: dict[str, Story] = {}
        self._plans: dict[str, list[Planned]] = {}
        self._elsewhere: dict[object, Running] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lock = threading.Lock()
        self._calls: Calls | None = None

    # ---------------------------------------------------------------- for those who write tests
    def at(self, workflow_id: str, seconds: float, happen: Callable[[], object]) -> Planned:
        """Let something happen at an instant of a workflow's story, whether it has begun or not.

        Args:
            workflow_id: the workflow's.
            seconds: virtual seconds since the story began.
            happen: called without arguments; what it returns is awaited if it can be.

        Raises:
            VirtualTimeError: the instant has passed.
        """
        planned = Planned(self, workflow_id, seconds, happen)
        story = self._by_workflow.get(workflow_id)
        if story is None or not (story.expects(workflow_id) or story.running):
            self._plans.setdefault(workflow_id, []).append(planned)
        elif story.now > seconds:
            raise VirtualTimeError(f"{workflow_id} stands at {story.now:g} s: nothing can be planned for {seconds:g} s")
        else:
            self._plan(story, planned)
        return planned

    async def until(self, workflow_id: str, seconds: float) -> None:
        """Let time pass until an instant of a workflow's story."""
        await self.at(workflow_id, seconds, lambda: None)

    def story(self, workflow_id: str) -> Story:
        """Return the story of a workflow: the newest, where its id was used again.

        Raises:
            VirtualTimeError: there is none.
        """
        if workflow_id not in self._by_workflow:
            known = ", ".join(sorted(self._by_workflow)[:5]) or "none"
            raise VirtualTimeError(f"no workflow {workflow_id!r} has been started here; there are: {known}")
        return self._by_workflow[workflow_id]

    def forget(self, workflow_id: str) -> None:
        """Drop the story of a workflow that is over, so that memory stays flat over many."""
        self._plans.pop(workflow_id, None)
        story = self._by_workflow.get(workflow_id)
        if story is None:
            return
        for name in story.workflow_ids:
            if self._by_workflow.get(name) is story:
                del self._by_workflow[name]
            self._waits.forget(name)
        for run in story.runs:
            self._by_run.pop(run, None)
        self._by_key.pop(story.key, None)
        self._by_group.pop(self._group(story.name), None)
        story.ends()

    # ---------------------------------------------------------------- what makes stories
    @property
    def only_replays(self) -> bool:
        """Whether this plugin belongs to a replayer: nothing happens there."""
        return not hasattr(self, "loop")

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
        self._waits.meets(story)
        for planned in self._plans.pop(workflow_id, []):
            self.loop.call_soon_threadsafe(self._plan, story, planned)

    def _plan(self, story: Story, planned: Planned) -> None:
        story.plan(max(planned.at, story.now), self._happens, story, planned)

    def _happens(self, story: Story, planned: Planned) -> None:
        story.plans -= 1
        self.keep(in_real_time(self._let_happen(story, planned, story.numbered("plan", f"{planned.at:g} s"))))

    async def _let_happen(self, story: Story, planned: Planned, hold: Hold) -> None:
        try:
            result = planned.happen()
            if inspect.isawaitable(result):
                await result
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            failure = VirtualTimeError(
                f"what was planned for {planned.at:g} s of {planned.workflow_id} failed: {error!r}"
            )
            failure.__cause__ = error
            self._waits.fail(story, failure)
            if not planned.done.done():
                planned.done.set_exception(failure)
                planned.done.exception()  # it is told, whether somebody asks or not
        else:
            if not planned.done.done():
                planned.done.set_result(None)
        finally:
            story.release(hold)

    # ---------------------------------------------------------------- what stories ask for
    def waits_for(self, story: Story) -> bool:
        """Say whether time may pass for a story."""
        return self._waits.waited_for(story)

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

    async def watched(
        self, workflow_id: str, work: Awaitable[T], needs_time: Callable[[Story], bool] | None = None
    ) -> T:
        """Await what needs a workflow's time to pass: its end, unless something else is said."""
        story = self._by_workflow.get(workflow_id)
        needed = needs_time or (lambda story: story.expects(workflow_id))
        return await self._waits.watched(workflow_id, story, work, needed)

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a reference to a task while it runs."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---------------------------------------------------------------- activities that are completed from elsewhere
    def completes_elsewhere(self, running: Running) -> None:
        """Remember an attempt whose end somebody else will tell."""
        info = running.info
        names = (info.task_token, (info.workflow_id, info.activity_id))
        self._elsewhere.update(dict.fromkeys(names, running))

        def expired(error: ExpiredError) -> None:
            assert self._calls, "the client has been connected"
            told = FailAsyncActivityInput(info.task_token, error, [], {}, None)
            self.keep(self._calls.fail_elsewhere(running, told))

        running.completes_elsewhere(expired)

    def elsewhere(self, activity: AsyncActivityIDReference | bytes) -> Running | None:
        """Return the attempt that is meant, if it is one of ours that is completed from elsewhere."""
        known: object = activity
        if isinstance(activity, AsyncActivityIDReference):
            known = (activity.workflow_id, activity.activity_id)
        running = self._elsewhere.get(known)
        return running if running and running.story.running.get(running.key) is running else None

    # ---------------------------------------------------------------- the SDK's plugin
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Go around the client's calls, outermost."""
        config["interceptors"] = [ClientSide(self), *config["interceptors"]]
        return config

    def remember_calls(self, calls: Calls) -> None:
        """Keep the client's calls, for what virtual time has to tell the server by itself."""
        self._calls = calls

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002 - the SDK's name
    ) -> ServiceClient:
        """Find the loop.

        Raises:
            VirtualTimeError: it is not a `VirtualLoop`.
        """
        self._find_loop()
        return await next(config)

    def _find_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise VirtualTimeError(
                f"virtual time needs a VirtualLoop, and this is a {type(loop).__name__}: run the code with "
                "asyncio.Runner(loop_factory=VirtualLoop), or use the pytest plugin's fixture"
            )
        self.loop = loop

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Let a worker's workflows and activities run in virtual time."""
        self.client = config["client"]
        config["workflow_runner"] = VirtualRunner(config.get("workflow_runner"), self)
        if inner := config.get("unsandboxed_workflow_runner"):
            config["unsandboxed_workflow_runner"] = VirtualRunner(inner, self)
        slots, local_slots = ENOUGH, ENOUGH
        if not config.get("tuner"):
            slots = config.get("max_concurrent_activities") or SLOTS
            local_slots = config.get("max_concurrent_local_activities") or SLOTS
            config["max_concurrent_activities"] = config["max_concurrent_local_activities"] = ENOUGH
        executor, threads = config.get("activity_executor"), None
        if isinstance(executor, ThreadPoolExecutor):
            threads = threads_of(executor)
            config["activity_executor"] = ThreadPoolExecutor(ENOUGH, thread_name_prefix="activity")
        config["interceptors"] = [ActivitySide(self, slots, local_slots, threads), *config.get("interceptors", ())]
        config["max_heartbeat_throttle_interval"] = config["default_heartbeat_throttle_interval"] = THROTTLE
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """Hear from a worker when the server has taken what a workflow answered, and when the worker ends."""
        self._find_loop()

        async def around(completion: Any, complete: Callable[[Any], Awaitable[None]]) -> None:
            story = self._by_run.get(completion.run_id)
            heard = story.sending(completion.run_id) if story else []
            await complete(completion)
            if story:
                story.hears(heard)

        around_answers(worker, around)
        shutdown = worker.shutdown

        async def shut_down() -> None:
            for story in set(self._by_run.values()):
                story.ends()
            await shutdown()

        worker.shutdown = shut_down  # type: ignore[method-assign]
        executor = worker.config(active_config=True).get("activity_executor")
        try:
            await next(worker)
        finally:
            if isinstance(executor, ThreadPoolExecutor):
                executor.shutdown(wait=False)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Replay what workers with virtual time have written."""
        config["workflow_runner"] = VirtualRunner(config.get("workflow_runner"), self)
        return config

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: Any,
        next: Any,  # noqa: A002 - the SDK's name
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Nothing to add."""
        async with next(replayer, histories) as results:
            yield results
