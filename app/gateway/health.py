"""GET /health: what the gateway can reach, asked side by side and answered within 3 s whatever is down.

Whoever asks, the services are asked once in a while: the path needs no key, and each of its requests would be five.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.gateway.temporal_calls import TryOns
from app.process.background import start
from app.services.assembly import Pinged

CHECK_DEADLINE = 2.5
"""Seconds for each check; the answer is due within 3 s."""

KEPT = 5.0
"""Seconds for which an answer is given again."""

Reach = Literal["online", "slow", "offline"]
"""`slow`: no answer within the deadline. It may be starting, as what scales from zero does for a minute, or hang."""


class Services(BaseModel):
    """Whether each service answers: `slow` is one that has not within 2.5 s, and may be starting."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    a100: Reach
    image_manipulator: Reach
    birefnet: Reach
    sam3: Reach


class Health(BaseModel):
    """`degraded` when anything that a try-on may need does not answer."""

    status: Literal["healthy", "degraded"]
    temporal: Literal["connected", "disconnected"]
    services: Services


class HealthChecks:
    """Asks Temporal and the four services."""

    def __init__(self, tryons: TryOns, services: Mapping[str, Pinged]) -> None:
        """Keep the way to Temporal, and the services by their names in the answer."""
        self._tryons = tryons
        self._services = services
        self._asking: asyncio.Task[Health] | None = None
        self._answered = 0.0

    async def ready(self) -> bool:
        """Say whether a try-on could be started and looked at."""
        return await self._tryons.check(CHECK_DEADLINE)

    async def health(self) -> Health:
        """Ask everything at once, unless it is being asked or was a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._answered >= KEPT):
            self._asking = start(self._ask(), "health checks")
        return await asyncio.shield(self._asking)  # who leaves takes the answer from nobody

    async def _ask(self) -> Health:
        temporal, *found = await asyncio.gather(
            self._tryons.check(CHECK_DEADLINE), *(_reach(service) for service in self._services.values())
        )
        services = Services.model_validate(dict(zip(self._services, found, strict=True)))
        every = temporal and all(reach == "online" for reach in found)
        self._answered = asyncio.get_running_loop().time()
        return Health(
            status="healthy" if every else "degraded",
            temporal="connected" if temporal else "disconnected",
            services=services,
        )


async def _reach(service: Pinged) -> Reach:
    try:
        await service.ping(Deadline(CHECK_DEADLINE))
    except PipelineError as error:
        return "slow" if isinstance(error, service.errors.timeout) else "offline"
    return "online"
