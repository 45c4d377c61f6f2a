"""The world in which scenarios run in virtual time: everything real but the clock.

The gateway and the worker of production run in this process, in front of a Temporal dev server; Azurite and the fakes
are processes or servers of their own, reached over real HTTP.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr
from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor

from app.gateway import open_gateway
from app.services.assembly import Assembly
from app.services.http import production_transport
from app.settings import Settings
from app.worker import working
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from scenarios.around_the_gateway import Keeping, Losing, Refusing
from scenarios.stories.place import API_KEY, CALLER
from scenarios.virtual import VirtualTime, VirtualTransport, server_words
from scenarios.world.azure_transport import VirtualBlobTransport
from scenarios.world.gateway_store import GatewayStoreTransport, Stagings
from scenarios.world.kept import Kept
from scenarios.world.lost_answers import LostAnswers
from scenarios.world.next_worker import NextWorker
from scenarios.world.surroundings import surroundings


class World:
    """The virtual world, as an async context.

    Attributes:
        gateway: the address of the gateway's API.
        guarded: that of a second one, which knows its callers by keys.
        services: the address of each fake, by the names that rules use.
        controls: the control plane of each fake, by the names that rules use.
        temporal: the client whose workflows live in virtual time.
        time: their virtual time.
        lost_answers: what the gateway does not hear from Temporal.
        stagings: which photos the store refuses to the gateway.
        settings: of the gateway; the worker has the same, but the fault proxy for its blob store.
    """

    gateway: str
    guarded: str | None
    temporal: Client | None
    time: VirtualTime | None
    settings: Settings
    virtual = True

    def __init__(
        self,
        home: Path,
        *,
        seed: int = 1,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
    ) -> None:
        self.services: Mapping[str, str] = {}
        self.controls: Mapping[str, AsyncControl] = {}
        self._virtual = self.time = VirtualTime(cancels_at_once=True)  # the model of the specification goes by it
        self._losing = LostAnswers()
        self.lost_answers: Losing | None = self._losing
        self.store: Keeping | None = None
        self._refusing = Stagings()
        self.stagings: Refusing | None = self._refusing
        self._home = home
        self._seed = seed
        self._interceptors = interceptors
        self._plugins = plugins
        self._parts = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._build()
        except BaseException:
            await self._parts.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._parts.aclose()

    async def _build(self) -> None:
        enter = self._parts.enter_async_context
        around = await enter(surroundings(self._home, seed=self._seed, temporal_flags=server_words()))
        self.services, self.controls, self.settings = around.services, around.controls, around.settings
        self.store = kept = Kept(self.settings)
        self._parts.push_async_callback(kept.close)
        plugins = [*self._plugins, self._virtual]
        self.temporal = client = await Client.connect(
            around.temporal, data_converter=pydantic_data_converter, plugins=plugins
        )
        assembly, next_one = self._assembly(around.worker_settings), self._assembly(around.worker_settings)
        interceptors = [*self._interceptors, NextWorker(self._virtual, next_one.activities)]
        await enter(working(client, around.worker_settings, assembly.activities, interceptors=interceptors))
        self.gateway = await self._serve(self.settings, client)
        keys = {"api_keys": ((CALLER, SecretStr(API_KEY)),)}
        self.guarded = await self._serve(self.settings.model_copy(update=keys), client)

    async def _serve(self, settings: Settings, client: Client) -> str:
        """Serve a gateway, and return its address."""
        enter = self._parts.enter_async_context
        store = GatewayStoreTransport(self._refusing)
        gateway = await enter(open_gateway(settings, self._losing.for_gateway(client), blob_transport=store))
        return await enter(serving(gateway))

    def _assembly(self, settings: Settings) -> Assembly:
        assembly = Assembly(
            settings,
            http_transport=VirtualTransport(production_transport()),
            blob_transport=VirtualBlobTransport(),
        )
        self._parts.push_async_callback(assembly.close)
        return assembly

    async def until(self, workflow_id: str, seconds: float) -> None:
        """Return at an instant of a workflow's story."""
        await self._virtual.until(workflow_id, seconds)
