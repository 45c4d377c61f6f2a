"""The same stories in real time, with the plain SDK and server, and in virtual time: what workflows see must agree."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from scenarios.virtual import virtual_server
from tests.virtual import activities, workflows
from tests.virtual.session import Session

SLACK_S = 2.0
"""What real time adds: a busy server, and the moment between a cancellation and the heartbeat that brings it."""
TELLINGS = 3
"""In real time, of what differs: a busy machine is late now and then, and a difference stays."""

ACTIVITIES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("sleeps", [3], {}),
    ("through_a_semaphore", [], {}),
    ("behind_a_lock", [], {}),
    ("races", [], {}),
    ("gives_up", [], {}),
    ("through_a_queue", [], {}),
    ("with_anyio", [], {}),
    ("with_tenacity", [], {}),
    ("sleeps", [4], {"local": True}),
    ("fails", [4, 0.5], {"attempts": 5}),
    ("fails", [3, 0.5], {"local": True, "attempts": 4}),
    ("fails", [99, 0.5], {"schedule_to_close_timeout": 6, "attempts": 9}),
    ("fails_for_good", [], {"attempts": 5}),
    ("fails_for_good", [], {"local": True}),
    ("hangs", [], {"start_to_close_timeout": 8, "attempts": 3}),
    ("hangs", [], {"start_to_close_timeout": 8, "schedule_to_close_timeout": 20, "attempts": 9}),
    ("falls_silent", [], {"heartbeat_timeout": 30, "attempts": 2}),
    ("falls_silent", [], {"heartbeat_timeout": 30}),
    ("beats_beside", [25], {"heartbeat_timeout": 15}),
    ("counts", [6, "hangs"], {"heartbeat_timeout": 5, "attempts": 2}),
    ("counts", [4.5, "fails"], {"heartbeat_timeout": 10, "attempts": 2}),
    ("counts", [4.5, "fails"], {"attempts": 2}),
    ("counts", [3, "hangs"], {"heartbeat_timeout": 10, "start_to_close_timeout": 4, "attempts": 2}),
]
WORKFLOWS: list[tuple[Any, list[Any]]] = [
    (workflows.FirstWins.run, [True]),
    (workflows.FirstWins.run, [False]),
    (workflows.FailsAlthough.run, ["breaks_when_cancelled", [], 3]),
    (workflows.FailsAlthough.run, ["fails", [99, 3], 1]),
    (workflows.TimerBeside.run, ["too late"]),
    (workflows.TimerBeside.run, ["in time"]),
    (workflows.TimerBeside.run, ["condition"]),
    (workflows.Outlives.run, ["outlives", [0.4, False], {"start_to_close_timeout": 8}]),
    (workflows.Outlives.run, ["outlives", [0.4, False], {"schedule_to_close_timeout": 8}]),
    (workflows.Outlives.run, ["outlives", [0.4, False], {"heartbeat_timeout": 8}]),
    (workflows.Outlives.run, ["outlives", [0.4, True], {"start_to_close_timeout": 3, "heartbeat_timeout": 5}]),
    (workflows.Outlives.run, ["outlives_in_a_thread", [], {"start_to_close_timeout": 8}]),
    (workflows.Outlives.run, ["outlives", [0.4, True], {"start_to_close_timeout": 8, "local": True}]),
    (
        workflows.Outlives.run,
        ["outlives", [0.4, False], {"start_to_close_timeout": 8, "schedule_to_close_timeout": 12, "attempts": 2}],
    ),
    (workflows.Outlives.run, ["cleans_up_slowly", [False], {"start_to_close_timeout": 3}]),
    (workflows.Outlives.run, ["cleans_up_slowly", [True], {"start_to_close_timeout": 3, "heartbeat_timeout": 2}]),
    (workflows.Locals.run, []),
    (workflows.Parent.run, []),
]
Story = tuple[Any, list[Any]]
STORIES: list[Story] = [
    *((workflows.One.run, [name, args, options]) for name, args, options in ACTIVITIES),
    *WORKFLOWS,
]


def close(one: Any, other: Any) -> bool:
    """The same, but for numbers, which are seconds."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= SLACK_S
    return bool(one == other)


@asynccontextmanager
async def own_clients() -> AsyncIterator[None]:
    """Let activities call by clients of this loop: connections of another one cannot be waited for here."""
    clients = activities.Clients
    kept = clients.http, clients.plain
    async with httpx.AsyncClient(base_url=clients.url) as http:
        clients.http = clients.plain = http
        try:
            yield
        finally:
            clients.http, clients.plain = kept


async def in_real_time(stories: list[Story]) -> list[Any]:
    """Tell stories at once on a server and a worker that know of no plugin."""
    async with virtual_server() as address, own_clients():
        client = await Client.connect(address)

        async def tell(workflow: Any, args: list[Any]) -> Any:
            try:
                return await client.execute_workflow(workflow, args=args, id=str(uuid.uuid4()), task_queue="real")
            except WorkflowFailureError as error:
                return type(error.cause).__name__

        async with Worker(
            client,
            task_queue="real",
            workflows=workflows.ALL,
            activities=activities.ALL,
            activity_executor=ThreadPoolExecutor(5),
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            return list(await asyncio.gather(*(tell(workflow, list(args)) for workflow, args in stories)))


@pytest.mark.long("its stories take the time that they take")
def test_real_time_and_virtual_time_tell_the_same(session: Session) -> None:
    virtual = []
    for workflow, args in STORIES:
        told, _ = session.run(workflow, *[dict(each) if isinstance(each, dict) else each for each in args])
        virtual.append(told if not isinstance(told, BaseException) else type(told).__name__)
    differing = list(range(len(STORIES)))
    real: dict[int, Any] = {}
    for _ in range(TELLINGS):
        if differing:
            real |= zip(differing, asyncio.run(in_real_time([STORIES[each] for each in differing])), strict=True)
            differing = [each for each in differing if not close(real[each], virtual[each])]
    said = [f"{STORIES[each]}: real {real[each]}, virtual {virtual[each]}" for each in differing]
    assert said == []
    assert len(virtual) == len(real) == len(STORIES) > 20
