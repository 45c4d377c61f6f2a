"""A server, a worker and a client in virtual time, for as many stories as wanted."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from typing import Any, Self

import httpx
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from scenarios.virtual import Story, VirtualLoop, VirtualTime, VirtualTransport, virtual_clocks, virtual_server
from tests.virtual import activities, programs, workflows
from tests.virtual.fake import serving

Plan = tuple[float, Callable[[WorkflowHandle[Any, Any]], Awaitable[object]]]
PATIENCE_S = 180.0
"""A busy server comes back to a task of a workflow after ten seconds, and may need that twice."""
LEASH_S = 240.0
"""For one story among two hundred side by side, on a machine that does three times as much besides."""


@contextmanager
def _own_clients() -> Iterator[None]:
    """Give those of another session back at the end: activities find them by one name."""
    before = {name: value for name, value in vars(activities.Clients).items() if not name.startswith("_")}
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(activities.Clients, name, value)


class Session:
    """Runs stories, one after the other or side by side; replays the history of each."""

    def __init__(self, *, converter: DataConverter = DataConverter.default, **options: Any) -> None:
        logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # the errors in these stories are wanted
        self._options, self._converter = options, converter
        self._parts = ExitStack()
        self._async_parts = AsyncExitStack()

    def __enter__(self) -> Self:
        self._parts.enter_context(_own_clients())
        activities.Clients.url = self._parts.enter_context(serving())
        self._parts.enter_context(virtual_clocks())
        self.runner = self._parts.enter_context(asyncio.Runner(loop_factory=VirtualLoop))
        self.runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self._async_parts.aclose())
        self._parts.close()

    async def _open(self) -> None:
        enter = self._async_parts.enter_async_context
        address = await enter(virtual_server())
        self.virtual = VirtualTime(patience=PATIENCE_S)
        self.client = await Client.connect(address, data_converter=self._converter, plugins=[self.virtual])
        # At the instant at which a connection grows too old, httpcore may close one that a caller is about to use.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=None)
        url = activities.Clients.url
        inner = httpx.AsyncHTTPTransport(limits=limits)
        activities.Clients.http = await enter(httpx.AsyncClient(base_url=url, transport=VirtualTransport(inner)))
        activities.Clients.plain = await enter(httpx.AsyncClient(base_url=url, limits=limits))
        self.worker = Worker(
            self.client,
            task_queue="q",
            workflows=[*workflows.ALL, programs.Program],
            activities=[*activities.ALL, programs.step],
            activity_executor=ThreadPoolExecutor(5),
            workflow_runner=UnsandboxedWorkflowRunner(),
            **self._options,
        )
        await enter(self.worker)

    def do(self, story: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the session's loop."""
        return self.runner.run(story)

    def run(self, workflow: Any, *args: Any, plan: list[Plan] | None = None, **options: Any) -> tuple[Any, Story]:
        """Run a workflow alone; return its result, or the cause of its failure, and its story."""
        return self.do(self.tell(workflow, *args, plan=plan, **options))  # type: ignore[no-any-return]

    def one(self, name: str, *args: Any, plan: list[Plan] | None = None, **options: Any) -> tuple[Any, Story]:
        """Run one activity."""
        return self.run(workflows.One.run, name, list(args), options, plan=plan)

    async def tell(
        self, workflow: Any, *args: Any, plan: list[Plan] | None = None, **options: Any
    ) -> tuple[Any, Story]:
        """Run a workflow; return its result, or the cause of its failure, and its story."""
        name = f"{getattr(workflow, '__qualname__', workflow)}-{uuid.uuid4()}"
        for at, happen in plan or []:
            self.virtual.at(name, at, partial(happen, self.client.get_workflow_handle(name)))
        handle = await self.client.start_workflow(workflow, args=args, id=name, task_queue="q", **options)
        try:
            async with asyncio.timeout(LEASH_S):
                result = await handle.result()
        except WorkflowFailureError as error:
            result = error.cause
        await self.replay(handle)
        return result, self.virtual.story(name)

    async def replay(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Replay a history with a plugin that has seen nothing."""
        history = await self.client.get_workflow_handle(handle.id).fetch_history()
        replayer = Replayer(
            workflows=workflows.ALL,
            workflow_runner=UnsandboxedWorkflowRunner(),
            data_converter=self._converter,
            plugins=[VirtualTime()],
        )
        await replayer.replay_workflow(history)
