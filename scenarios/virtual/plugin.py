"""The plugin that puts virtual time together: one object for a client and its workers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client, ClientConfig, Plugin as ClientPlugin
from temporalio.service import ConnectConfig, ServiceClient
from temporalio.worker import (
    Plugin as WorkerPlugin,
    Replayer,
    ReplayerConfig,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
)

from .activities import ActivitySide
from .client import ClientSide
from .departures import worker_leaves
from .errors import VirtualTimeError
from .heartbeats import Throttle
from .internals import around_answers, around_shutdown, drop_late_cancellations, threads_of
from .loop import VirtualLoop
from .planned import Planned
from .stories import Stories
from .story import Story
from .workflows import VirtualRunner

SLOTS = 100
"""The SDK's own number of attempts that a worker runs at once, of either kind."""
ENOUGH = 10_000
"""Places that a worker really gets: attempts hold theirs while they wait for time, which waits until others begin."""
THROTTLE = timedelta(milliseconds=20)
"""Between two real heartbeats: a cancellation comes with the answer to one. Virtual ones keep the worker's own."""


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
            heartbeat that is sent, as in life.
    """

    def __init__(
        self,
        *,
        story_of: Callable[[str], str] | None = None,
        patience: float = 30.0,
        cancels_at_once: bool = False,
    ) -> None:
        self._stories = Stories(story_of, patience, cancels_at_once=cancels_at_once)

    # ---------------------------------------------------------------- for those who write tests
    @property
    def client(self) -> Client:
        """The client whose workflows live in this time."""
        return self._stories.client

    @property
    def loop(self) -> VirtualLoop:
        """The loop on which they run."""
        return self._stories.loop

    @property
    def patience(self) -> float:
        """Wall seconds without anything happening after which a wait ends in an error."""
        return self._stories.waits.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._stories.waits.patience = seconds

    def at(self, workflow_id: str, seconds: float, happen: Callable[[], object]) -> Planned:
        """Let something happen at an instant of a workflow's story, whether it has begun or not.

        Time stands while it happens, but for as long as it waits for the story itself, as for the outcome of an update.

        Args:
            workflow_id: the workflow's.
            seconds: virtual seconds since the story began.
            happen: called without arguments; what it returns is awaited if it can be.

        Raises:
            VirtualTimeError: the instant has passed.
        """
        return self._stories.at(workflow_id, seconds, happen)

    async def until(self, workflow_id: str, seconds: float) -> None:
        """Let time pass until an instant of a workflow's story."""
        await self.at(workflow_id, seconds, lambda: None)

    def worker_leaves(self, workflow_id: str, at: float, back_at: float, drain: float | None = None) -> Planned:
        """Let the worker of a workflow's attempts leave at an instant, and a new one come at another.

        Another worker deals with what the workflow hears meanwhile. An attempt that would begin waits for the new one.

        Args:
            workflow_id: the workflow's.
            at: virtual seconds since the story began.
            back_at: from when on attempts begin again.
            drain: virtual seconds in which attempts that run may end, before they are cut off, of which the server is
                told; None: it dies, and the server finds out by a timeout.

        Raises:
            VirtualTimeError: the instant has passed.
        """
        return self.at(workflow_id, at, lambda: worker_leaves(self.story(workflow_id), back_at, drain))

    def story(self, workflow_id: str) -> Story:
        """Return the story of a workflow: the newest, where its id was used again.

        Raises:
            VirtualTimeError: there is none.
        """
        return self._stories.find(workflow_id)

    def forget(self, workflow_id: str) -> None:
        """Drop the story of a workflow that is over, so that memory stays flat over many."""
        self._stories.forget(workflow_id)

    # ---------------------------------------------------------------- the SDK's plugin
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Go around the client's calls, outermost."""
        config["interceptors"] = [ClientSide(self._stories), *config["interceptors"]]
        return config

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
        self._stories.loop = loop

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Let a worker's workflows and activities run in virtual time."""
        self._stories.client = config["client"]
        converter = config["client"].data_converter
        config["workflow_runner"] = VirtualRunner(config.get("workflow_runner"), self._stories, converter)
        if inner := config.get("unsandboxed_workflow_runner"):
            config["unsandboxed_workflow_runner"] = VirtualRunner(inner, self._stories, converter)
        slots, local_slots = ENOUGH, ENOUGH
        if not config.get("tuner"):
            slots = config.get("max_concurrent_activities") or SLOTS
            local_slots = config.get("max_concurrent_local_activities") or SLOTS
            config["max_concurrent_activities"] = config["max_concurrent_local_activities"] = ENOUGH
        executor, threads = config.get("activity_executor"), None
        if isinstance(executor, ThreadPoolExecutor):
            threads = threads_of(executor)
            config["activity_executor"] = ThreadPoolExecutor(ENOUGH, thread_name_prefix="activity")
        config["interceptors"] = [
            ActivitySide(self._stories, slots, local_slots, threads, Throttle.take(config)),
            *config.get("interceptors", ()),
        ]
        config["max_heartbeat_throttle_interval"] = config["default_heartbeat_throttle_interval"] = THROTTLE
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """Hear from a worker when what a workflow answered has gone to the server, and when and how the worker ends."""
        self._find_loop()

        async def around(completion: Any, complete: Callable[[Any], Awaitable[None]]) -> None:
            story = self._stories.of_run(completion.run_id)
            answer = story.answers.sending(completion.run_id) if story else None
            await complete(completion)
            if story and answer:
                await story.replied(answer)

        around_answers(worker, around)
        around_shutdown(worker, partial(self._stories.worker_ends, worker))
        drop_late_cancellations(worker)
        self._stories.worker_begins(worker)
        executor = worker.config(active_config=True).get("activity_executor")
        try:
            await next(worker)
        except Exception as error:
            self._stories.worker_dies(worker, error)
            raise
        finally:
            if isinstance(executor, ThreadPoolExecutor):
                executor.shutdown(wait=False)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Replay what workers with virtual time have written."""
        config["workflow_runner"] = VirtualRunner(
            config.get("workflow_runner"), self._stories, config.get("data_converter")
        )
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
