"""GET /health: what the gateway can reach, asked side by side and answered within 3 s whatever is down.

Whoever asks, the services are asked once in a while: the path needs no key, and each of its requests would be five.
"""

import asyncio
from collections.abc import Awaitable
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.gateway.temporal_calls import TryOns
from app.process.background import start
from app.settings import Settings

CHECK_DEADLINE = 2.5
"""Seconds for each check; the answer is due within 3 s."""

KEPT = 5.0
"""Seconds for which an answer is given again."""

MAX_HEALTH_BYTES = 64 * 1024

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

    def __init__(self, settings: Settings, tryons: TryOns, http: httpx.AsyncClient) -> None:
        """Keep the addresses and the clients."""
        self._settings = settings
        self._tryons = tryons
        self._http = http
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
        settings = self._settings
        temporal, a100, image_manipulator, birefnet, sam3 = await asyncio.gather(
            self._tryons.check(CHECK_DEADLINE),
            self._any_a100(),
            _in_time(self._answers(settings.image_manipulator_url)),
            _in_time(self._answers(settings.birefnet_url)),
            _in_time(self._answers(settings.sam3_url)),
        )
        services = Services(a100=a100, image_manipulator=image_manipulator, birefnet=birefnet, sam3=sam3)
        every = temporal and all(reach == "online" for reach in services.model_dump().values())
        self._answered = asyncio.get_running_loop().time()
        return Health(
            status="healthy" if every else "degraded",
            temporal="connected" if temporal else "disconnected",
            services=services,
        )

    async def _any_a100(self) -> Reach:
        found = await asyncio.gather(*(_in_time(self._online(url)) for url in self._settings.a100_urls))
        return min(found, key=_BEST_FIRST.index)

    async def _answers(self, url: str) -> bool:
        """Only the A100 has a health check in the specification: of the others any answer is a sign of life."""
        async with self._http.stream("GET", f"{url}/") as response:
            return response.status_code < 500

    async def _online(self, url: str) -> bool:
        async with self._http.stream("GET", f"{url}/health") as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_HEALTH_BYTES:
                    return False
        return response.is_success and _A100Health.model_validate_json(body).status == "online"


class _A100Health(BaseModel):
    status: str


_BEST_FIRST: list[Reach] = ["online", "slow", "offline"]


async def _in_time(check: Awaitable[bool]) -> Reach:
    try:
        async with asyncio.timeout(CHECK_DEADLINE):
            return "online" if await check else "offline"
    except (TimeoutError, httpx.TimeoutException):
        return "slow"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # ValueError: an answer that is not as specified
        return "offline"
