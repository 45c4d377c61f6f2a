"""GET /health: what the gateway can reach, asked side by side and answered within 3 s whatever is down."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.gateway.tryons import TryOns
from app.settings import Settings

CHECK_DEADLINE = 2.5
"""Seconds for each check; the answer is due within 3 s."""

MAX_HEALTH_BYTES = 64 * 1024

Reach = Literal["online", "offline"]


class Services(BaseModel):
    """Whether each service answers."""

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

    async def ready(self) -> bool:
        """Say whether a try-on could be started and looked at."""
        return await self._tryons.check(CHECK_DEADLINE)

    async def health(self) -> Health:
        """Ask everything at once."""
        settings = self._settings
        temporal, a100, image_manipulator, birefnet, sam3 = await asyncio.gather(
            self._tryons.check(CHECK_DEADLINE),
            self._any_a100(),
            _in_time(self._answers(settings.image_manipulator_url)),
            _in_time(self._answers(settings.birefnet_url)),
            _in_time(self._answers(settings.sam3_url)),
        )
        every = temporal and a100 and image_manipulator and birefnet and sam3
        return Health(
            status="healthy" if every else "degraded",
            temporal="connected" if temporal else "disconnected",
            services=Services(
                a100=_reach(a100),
                image_manipulator=_reach(image_manipulator),
                birefnet=_reach(birefnet),
                sam3=_reach(sam3),
            ),
        )

    async def _any_a100(self) -> bool:
        return any(await asyncio.gather(*(_in_time(self._online(url)) for url in self._settings.a100_urls)))

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


async def _in_time(check: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(CHECK_DEADLINE):
            return await check
    except (
        TimeoutError,
        httpx.HTTPError,
        httpx.InvalidURL,
        ValueError,
    ):  # ValueError: an answer that is not as specified
        return False


def _reach(answered: bool) -> Reach:
    return "online" if answered else "offline"
