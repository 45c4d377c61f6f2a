"""The world in which scenarios run in virtual time: everything real but the clock.

The gateway and the worker of production run in this process, in front of a Temporal dev server; Azurite and the fakes
are processes or servers of their own, reached over real HTTP.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor

from app.gateway import open_gateway
from app.services.assembly import Assembly
from app.services.blob_transport import BlobTransport
from app.services.http import production_transport
from app.settings import Settings
from app.worker import working
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from fakes.registry import BLOB
from scenarios.pipeline import OPERATIONS, VARIABLES, addresses
from scenarios.processes.child import Program
from scenarios.processes.ports import HOST, reserve_port
from scenarios.processes.probes import answers
from scenarios.processes.supervisor import Supervisor
from scenarios.stack import programs
from scenarios.stack.ports import Ports
from scenarios.virtual import VirtualTime, VirtualTransport, server_words
from scenarios.world.azure_transport import VirtualBlobTransport


class World:
    """The virtual world, as an async context.

    Attributes:
        gateway: the address of the gateway's API.
        services: the address of each fake, by the names that rules use.
        controls: the control plane of each fake, by the names that rules use.
        temporal: the client whose workflows live in virtual time.
        time: their virtual time.
        settings: of the gateway; the worker has the same, but the fault proxy for its blob store.
    """

    gateway: str
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
        ports = Ports.free()
        fakes = {name: reserve_port() for name in OPERATIONS}
        programs, store = _processes(ports, fakes, self._home, self._seed)
        await self._parts.enter_async_context(Supervisor(programs, home=self._home))
        self.temporal = client = await Client.connect(
            f"{HOST}:{ports.temporal}", data_converter=pydantic_data_converter, plugins=[*self._plugins, self._virtual]
        )
        self.services = urls = {name: f"http://{HOST}:{port}" for name, port in fakes.items()}
        self.controls = {name: AsyncControl(url) for name, url in urls.items()}
        for control in self.controls.values():
            self._parts.push_async_callback(control.close)
        self.settings = Settings.model_validate(
            {
                **{name.lower(): value for name, value in store.items()},
                **{
                    variable.lower(): ",".join(urls[name] for name in addresses(service))
                    for service, variable in VARIABLES.items()
                },
                "worker_drain_s": 1,
                "log_level": "ERROR",
            }
        )
        proxy = httpx.URL(self.settings.azure_blob_endpoint).copy_with(port=fakes[BLOB.name])
        await self._work(client, self.settings.model_copy(update={"azure_blob_endpoint": str(proxy)}))
        await self._serve(client)

    async def _work(self, client: Client, settings: Settings) -> None:
        assembly = Assembly(
            settings,
            http_transport=VirtualTransport(production_transport()),
            blob_transport=VirtualBlobTransport(BlobTransport()),
        )
        self._parts.push_async_callback(assembly.close)
        await self._parts.enter_async_context(
            working(
                client,
                settings,
                assembly.activities,
                interceptors=self._interceptors,
            )
        )

    async def _serve(self, client: Client) -> None:
        app = await self._parts.enter_async_context(open_gateway(self.settings, client))
        self.gateway = await self._parts.enter_async_context(serving(app))


def _processes(
    ports: Ports, fakes: Mapping[str, int], home: Path, seed: int
) -> tuple[list[list[Program]], dict[str, str]]:
    """Return the processes of the virtual world, and the variables of its blob store."""
    options = programs.Options(
        parts=frozenset({"temporal", "azurite"}),
        profile="instant",
        seed=seed,
        temporal_flags=server_words(),
        temporal_in_memory=True,
        temporal_ui=False,
    )
    stages = programs.stages(ports, home, options)
    azurite = next(program for program in stages[0] if program.name == "azurite")
    environment = {**azurite.environment, "SIM_CLOCK": "caller", "SIM_LEDGER_SIZE": "1000000"}
    environment["FAKES_REMEMBER"] = "128"  # stories post the same few small photos: each drawing is made once
    words = [sys.executable, "-m", "scenarios.world.fakes_process"]
    stages[0].append(
        Program(
            name="fakes",
            words=[*words, *(f"{name}={port}" for name, port in fakes.items())],
            environment=environment,
            healthy=answers(list(fakes.values())[-1]),
            addresses={},
        )
    )
    return stages, {name: value for name, value in environment.items() if name.startswith("AZURE_")}
