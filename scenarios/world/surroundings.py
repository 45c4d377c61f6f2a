"""What surrounds the gateway and the worker of a simulation: Temporal, Azurite and the fakes, as processes."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.settings import Settings
from fakes.kit.client import AsyncControl
from fakes.registry import BLOB
from scenarios.pipeline import OPERATIONS, VARIABLES, addresses
from scenarios.processes.child import Program
from scenarios.processes.ports import HOST, reserve_port
from scenarios.processes.probes import answers
from scenarios.processes.supervisor import Supervisor
from scenarios.stack import programs
from scenarios.stack.ports import Ports


@dataclass(frozen=True)
class Surroundings:
    """Where everything is.

    Attributes:
        temporal: the address of the server.
        services: the address of each fake, by the names that rules use.
        controls: the control plane of each fake, by the names that rules use.
        settings: of the gateway.
        worker_settings: the same, but the fault proxy for the blob store.
    """

    temporal: str
    services: Mapping[str, str]
    controls: Mapping[str, AsyncControl]
    settings: Settings
    worker_settings: Settings


@asynccontextmanager
async def surroundings(home: Path, *, seed: int, temporal_flags: Sequence[str]) -> AsyncIterator[Surroundings]:
    """Start everything on free ports, and stop it at the end.

    Args:
        home: a folder for logs and blobs.
        seed: the fakes' chance.
        temporal_flags: more words for the server's command line.
    """
    ports = Ports.free()
    fakes = {name: reserve_port() for name in OPERATIONS}
    stages, store = _processes(ports, fakes, home, seed, temporal_flags)
    services = {name: f"http://{HOST}:{port}" for name, port in fakes.items()}
    settings = Settings.model_validate(
        {
            **{name.lower(): value for name, value in store.items()},
            **{
                variable.lower(): ",".join(services[name] for name in addresses(service))
                for service, variable in VARIABLES.items()
            },
            "worker_drain_s": 1,
            "log_level": "ERROR",
        }
    )
    proxy = httpx.URL(settings.azure_blob_endpoint).copy_with(port=fakes[BLOB.name])
    async with AsyncExitStack() as parts:
        await parts.enter_async_context(Supervisor(stages, home=home))
        controls = {name: AsyncControl(url) for name, url in services.items()}
        for control in controls.values():
            parts.push_async_callback(control.close)
        yield Surroundings(
            temporal=f"{HOST}:{ports.temporal}",
            services=services,
            controls=controls,
            settings=settings,
            worker_settings=settings.model_copy(update={"azure_blob_endpoint": str(proxy)}),
        )


def _processes(
    ports: Ports, fakes: Mapping[str, int], home: Path, seed: int, temporal_flags: Sequence[str]
) -> tuple[list[list[Program]], dict[str, str]]:
    """Return the processes, and the variables of the blob store."""
    options = programs.Options(
        parts=frozenset({"temporal", "azurite"}),
        profile="instant",
        seed=seed,
        temporal_flags=temporal_flags,
        in_memory=True,
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
