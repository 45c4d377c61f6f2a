"""The world with Temporal's own clock: its server that skips time, and production's worker without virtual time.

The server skips time only while no attempt is in flight: backoffs cost nothing, and what an attempt waits for is real.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from app.gateway import open_gateway
from app.services.assembly import Assembly
from app.services.http import production_transport
from app.worker import working
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from scenarios.around_the_gateway import Keeping, Losing, Refusing
from scenarios.scenario import Scenario
from scenarios.stories.referee import SeenAttempt
from scenarios.stories.run import Run
from scenarios.stories.runner import Runner
from scenarios.virtual import VirtualTime, VirtualTransport, server_words
from scenarios.world.azure_transport import VirtualBlobTransport
from scenarios.world.surroundings import surroundings
from scenarios.world.witness import Witness, server_time

SKIPPING = ("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true")
MAX_SKIPS = 1_000_000
"""By itself the server skips 200 times in a workflow, after which its clock would silently be real."""


class RefereeWorld:
    """Where scenarios run by Temporal's own clock; a `Place`."""

    virtual = False
    guarded: str | None = None
    time: VirtualTime | None = None
    lost_answers: Losing | None = None
    stagings: Refusing | None = None
    store: Keeping | None = None

    def __init__(self, gateway: str, skipper: TimeSkipper, controls: Mapping[str, AsyncControl]) -> None:
        self.gateway, self.controls = gateway, controls
        self._skipper = skipper
        self.temporal: Client | None = skipper.client
        self.witness = Witness(skipper.client)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Skip no time of what is started meanwhile, but for `until`."""
        with self._skipper.with_time_skipping_disabled():
            yield

    async def until(self, workflow_id: str, seconds: float) -> None:
        """Skip to an instant of a workflow that was started while paused."""
        handle = self._skipper.client.get_workflow_handle(workflow_id)
        begun = (await handle.describe()).start_time
        passed = (datetime.now(UTC) - begun).total_seconds()
        if seconds > passed:
            await self._skipper.fast_forward(handle, seconds - passed)


@asynccontextmanager
async def referee_world(home: Path, *, seed: int) -> AsyncIterator[RefereeWorld]:
    """Start the world, and stop it at the end.

    Args:
        home: a folder for logs and blobs.
        seed: the fakes' chance.
    """
    async with AsyncExitStack() as parts:
        enter = parts.enter_async_context
        around = await enter(surroundings(home, seed=seed, temporal_flags=[*server_words(), *SKIPPING]))
        client = await Client.connect(around.temporal, data_converter=pydantic_data_converter)
        skipper = TimeSkipper(client, config=TimeSkippingConfig(max_session_skip_count=MAX_SKIPS))
        assembly = Assembly(
            around.worker_settings,
            http_transport=VirtualTransport(production_transport(), clock=server_time),
            blob_transport=VirtualBlobTransport(clock=server_time),
        )
        parts.push_async_callback(assembly.close)
        gateway = await enter(serving(await enter(open_gateway(around.settings, skipper.client))))
        world = RefereeWorld(gateway, skipper, around.controls)
        await enter(working(client, around.worker_settings, assembly.activities, interceptors=[world.witness]))
        yield world


async def tell_referee(
    world: RefereeWorld,
    scenarios: list[Scenario],
    *,
    seed: int,
    at_once: int,
    done: Callable[[Run], None] = lambda _run: None,
) -> list[tuple[Run, list[SeenAttempt]]]:
    """Run scenarios by Temporal's clock; return each run with its attempts, in the given order."""
    runner = Runner(world, seed=seed)
    try:
        planned = [scenario for scenario in scenarios if _cancels(scenario)]
        with world.paused():
            runs = await runner.run_all(planned, at_once=at_once, done=done)
        others = [scenario for scenario in scenarios if not _cancels(scenario)]
        runs += await runner.run_all(others, at_once=at_once, done=done)
    finally:
        await runner.close()
    by_name = {run.scenario.name: run for run in runs}
    ordered = [by_name[scenario.name] for scenario in scenarios]
    return [(run, world.witness.attempts[run.workflow_id]) for run in ordered]


def _cancels(scenario: Scenario) -> bool:
    return any(each.cancel_at is not None for each in (scenario, *scenario.beside))
