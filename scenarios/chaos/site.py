"""The stack that is broken, with what sees and mends it: the public API, the fakes' ledgers, Temporal's own view."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from app.names import workflow_id_for
from fakes.kit.client import AsyncControl, LedgerCall
from fakes.kit.serve import serving
from fakes.pictures import portrait
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from scenarios.chaos.growth import Reading
from scenarios.chaos.holding import held
from scenarios.gateway_client import ENDED, STROKES, GatewayClient, start_body
from scenarios.histories import activities
from scenarios.pipeline import Step
from scenarios.processes.child import Child
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.ports import Ports
from scenarios.stack.programs import TASK_QUEUE, Options
from scenarios.stack.stack import Stack

CALLER = "chaos"
API_KEY = "only-for-the-stack-that-is-broken"
"""Opens nothing but a gateway on this machine; it is there to be looked for in logs and histories."""

ANOTHER_A100 = "another_a100"
A100_SLOTS = 1
"""Calls that each worker makes to the A100 at once: few, so that a try-on can be made to wait for one."""

BUILD_ID = "as-deployed"
"""The version of the workers; a deploy of others is one of the faults."""

GLANCE_S = 0.1
"""Between two looks at a ledger or a status."""


class ChaosError(AssertionError):
    """What was to happen did not; the message says what was expected and what was seen."""


class SpoiltError(ChaosError):
    """The fault was another than was meant, since the machine was too busy: what came of it says nothing."""


@cache
def whole_body() -> bytes:
    """Return the body of a start for which every step runs: a small portrait from far away, and a stroke."""
    return json.dumps(start_body(portrait(480, 640, seed=5, zoom=0.6), strokes=STROKES)).encode()


@asynccontextmanager
async def open_site(home: Path, *, workers: int = 2) -> AsyncIterator["StruckStack"]:
    """Start a stack to break, and its onlookers. The workers know of a second A100, which runs in this process."""
    ports = Ports.free()
    spare = reserve_port()
    options = Options(
        workers=workers,
        profile="instant",
        temporal_ui=False,
        extra={
            "*": {"LOG_FORMAT": "console", **two_a100s(ports, spare)},
            "worker": {
                "WORKER_DRAIN_S": "60",  # a drain as long as what runs may take
                "LOG_LEVEL": "DEBUG",
                "WORKER_BUILD_ID": BUILD_ID,
                "A100_MAX_CONCURRENT": str(A100_SLOTS),
            },
            "gateway": {"API_KEYS": f"{CALLER}:{API_KEY}", "LOG_LEVEL": "DEBUG"},
        },
    )
    async with AsyncExitStack() as closing:
        stack = await closing.enter_async_context(Stack(home=home, ports=ports, options=options))
        another = await closing.enter_async_context(another_a100(stack, spare))
        gateway = GatewayClient(stack.urls["gateway"], api_key=API_KEY, timeout=30)
        await closing.enter_async_context(gateway)
        controls = {name: AsyncControl(stack.urls[name]) for name in SERVICES} | {ANOTHER_A100: AsyncControl(another)}
        for control in controls.values():
            closing.push_async_callback(control.close)
        site = StruckStack(stack, gateway, await stack.temporal(), controls)
        await site.make_current(BUILD_ID)
        yield site


def two_a100s(ports: Ports, spare: int) -> dict[str, str]:
    """Return the variable by which workers know the stack's A100 and another one at a spare port."""
    return {"A100_URLS": f"http://{HOST}:{ports.fakes['a100']},http://{HOST}:{spare}"}


@asynccontextmanager
async def another_a100(stack: Stack, port: int) -> AsyncIterator[str]:
    """Run a second A100 in this process, beside the stack's, and give its address."""
    settings = ServiceSettings.model_validate({name.lower(): value for name, value in stack.environment.items()})
    async with serving(SERVICES["a100"].create_app(settings), port=port) as address:
        yield address


class StruckStack:
    """A running stack. `accepted` are the ids of the try-ons that the gateway took."""

    def __init__(self, stack: Stack, gateway: GatewayClient, temporal: Client, fakes: dict[str, AsyncControl]) -> None:
        self.stack = stack
        self.gateway = gateway
        self.temporal = temporal
        self.fakes = fakes
        self.accepted: list[str] = []

    # ------------------------------------------------------------ as a frontend

    async def post(self, key: str) -> httpx.Response:
        """Ask for a try-on with strokes under this Idempotency-Key.

        Raises:
            httpx.TransportError: the gateway is not there, or went away.
        """
        answer = await self.gateway.post(whole_body(), key=key)
        if answer.status_code == httpx.codes.ACCEPTED and (found := answer.json()["workflowId"]) not in self.accepted:
            self.accepted.append(found)
        return answer

    async def start(self, key: str) -> str:
        """Start a try-on and return its id, which is that of its key."""
        answer = await self.post(key)
        expect(answer.status_code == httpx.codes.ACCEPTED, f"a start answered {answer.status_code}: {answer.text}")
        expect(
            answer.json()["workflowId"] == workflow_id_for(key, CALLER), f"the id is not that of its key: {answer.text}"
        )
        return workflow_id_for(key, CALLER)

    async def view(self, workflow_id: str) -> dict[str, Any]:
        """Return what the gateway says about a try-on."""
        answer = await self.gateway.look(workflow_id)
        expect(answer.status_code == httpx.codes.OK, f"the status answered {answer.status_code}: {answer.text[:300]}")
        return dict(answer.json())

    async def end(self, workflow_id: str, within: float) -> dict[str, Any]:
        """Wait until a try-on has ended, and return what the gateway says then."""

        async def ended() -> dict[str, Any] | None:
            view = await self.view(workflow_id)
            return view if view["status"] in ENDED else None

        view: dict[str, Any] = await until(ended, within, f"the end of {workflow_id}")
        return view

    # ------------------------------------------------------------ as an onlooker

    async def rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Give each rule to the fake that it is for."""
        for rule in rules:
            await self.fakes[rule["service"]].add(rule)

    async def calls(self, service: str, operation: str, workflow_id: str) -> list[LedgerCall]:
        """Return the calls that a service was sent for a try-on, at each of its addresses."""
        found = await self.fakes[service].ledger(workflow_id, operation)
        if service == "a100":
            found += await self.fakes[ANOTHER_A100].ledger(workflow_id, operation)
        return found

    async def refuse(self, service: str, seconds: float) -> None:
        """Close a service's port for so long, and every connection that it has."""
        await self.fakes[service].add({"id": "down", "for_s": seconds, "fault": {"kind": "refuse"}})

    async def in_flight(self, step: Step, workflow_id: str, within: float = 60) -> None:
        """Wait until the call that is held has reached its service; for the upload, until its attempt has begun."""

        async def flying() -> bool:
            if step.service is None:
                return await self.holder(workflow_id, step.activity) is not None
            operation, number = held(step)
            calls = await self.calls(step.service, operation, workflow_id)
            return any(call["call"] == number and call["duration_s"] is None for call in calls)

        await until(flying, within, f"{step.activity} in flight for {workflow_id}")

    async def pending(self, workflow_id: str, activity: str) -> PendingActivityInfo | None:
        """Return what Temporal knows of a step that has begun and not ended; None when there is none."""
        description = await self.temporal.get_workflow_handle(workflow_id).describe()
        found = description.raw_description.pending_activities
        return next((one for one in found if one.activity_type.name == activity), None)

    async def activities(self, workflow_id: str) -> list[str]:
        """Return the activities that a try-on has scheduled, in order."""
        events = (await self.temporal.get_workflow_handle(workflow_id).fetch_history()).events
        return [activity.name for activity in activities(events)]

    async def holder(self, workflow_id: str, activity: str) -> str | None:
        """Return the name of the worker process that an attempt runs in; None when none runs."""
        pending = await self.pending(workflow_id, activity)
        if pending is None or pending.state != PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
            return None
        pid = pending.last_worker_identity.partition("@")[0]
        return next((child.name for child in self.stack if child.running and str(child.pid) == pid), None)

    async def waiting(self, workflow_id: str, activity: str, *, attempt: int = 1) -> None:
        """Wait until a step waits itself: for a worker that takes its first attempt, or in the backoff before another.

        Raises:
            ChaosError: it does not come to that.
        """

        async def seen() -> bool:
            pending = await self.pending(workflow_id, activity)
            return (
                pending is not None
                and pending.attempt >= attempt
                and pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            )

        await until(seen, 60, f"{activity} to wait for attempt {attempt}")

    async def make_current(self, build_id: str) -> None:
        """Let try-ons that start from now on run on the workers of this version, once it is known."""
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.temporal.namespace, deployment_name=TASK_QUEUE, build_id=build_id, identity="chaos"
        )

        async def done() -> bool:
            try:
                await self.temporal.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:  # its workers have not been seen yet
                return False
            return True

        await until(done, 60, f"version {build_id} to be the current one")

    @property
    def workers(self) -> list[Child]:
        """The worker processes."""
        return [child for child in self.stack if child.name.startswith("worker")]

    def pause(self, *names: str) -> None:
        """Stop processes where they are (SIGSTOP)."""
        for name in names:
            self.stack[name].signal(signal.SIGSTOP)

    def resume(self, *names: str) -> None:
        """Let paused processes go on (SIGCONT)."""
        for name in names:
            self.stack[name].signal(signal.SIGCONT)

    async def heal(self) -> None:
        """Bring every process back, and take every rule away."""
        for child in self.stack:
            child.signal(signal.SIGCONT)
        for child in self.stack:
            if not child.running:
                await self.stack.start(child.name)
        for control in self.fakes.values():
            await control.remove()

    def resources(self) -> dict[str, Reading]:
        """Return what each process has now, by its name."""
        seen = {}
        for child in self.stack:
            process = psutil.Process(child.pid)
            seen[child.name] = Reading(child.pid, process.num_fds(), process.memory_info().rss / 1e6)
        return seen


async def until(look: Callable[[], Awaitable[Any]], within: float, what: str) -> Any:
    """Look again and again until there is something to see, and return it.

    Raises:
        ChaosError: there was nothing within so many seconds.
    """
    limit = time.monotonic() + within
    while not (seen := await look()):
        expect(time.monotonic() < limit, f"waited {within:g} s for {what} in vain")
        await asyncio.sleep(GLANCE_S)
    return seen


def expect(holds: bool, otherwise: str) -> None:
    """Raise ChaosError with this message unless something holds."""
    if not holds:
        raise ChaosError(otherwise)
