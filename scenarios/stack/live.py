"""Places where scenarios run in real time: a stack on this machine with scaled fakes, or any deployment by its URL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from fakes.kit.client import AsyncControl
from fakes.registry import SERVICES
from scenarios.around_the_gateway import Keeping, Losing, Refusing
from scenarios.scenario import Scenario
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from scenarios.virtual import VirtualTime

TIME_SCALE = 0.05
"""The fakes' own times (a job of 20 s, a latency) are so much shorter; production waits are what they are."""


@dataclass
class LivePlace:
    """A running deployment. Without controls its services may be real: only scenarios without faults fit."""

    gateway: str
    temporal: Client | None = None
    controls: Mapping[str, AsyncControl] = field(default_factory=dict)
    time: VirtualTime | None = None
    virtual: bool = False
    guarded: str | None = None
    lost_answers: Losing | None = None
    stagings: Refusing | None = None
    store: Keeping | None = None

    def fits(self, scenario: Scenario) -> bool:
        """Say whether a scenario can run here."""
        if not self.controls:
            return scenario.fault_free
        return scenario.live and all(rule.service in self.controls for rule in scenario.rules)

    async def until(self, _workflow_id: str, seconds: float) -> None:
        """Let real time pass."""
        await asyncio.sleep(seconds)


@asynccontextmanager
async def live_stack(home: Path, time_scale: float = TIME_SCALE) -> AsyncIterator[LivePlace]:
    """Start the whole stack as processes, on free ports, with scaled fakes, and stop it at the end."""
    options = Options(profile="instant", time_scale=time_scale, temporal_ui=False)
    async with Stack(home=home, options=options) as stack:
        client = await stack.temporal()
        controls = {name: AsyncControl(stack.urls[name]) for name in SERVICES}
        try:
            yield LivePlace(stack.urls["gateway"], client, controls)
        finally:
            for control in controls.values():
                await control.close()
