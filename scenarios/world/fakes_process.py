"""All fakes of the virtual world in one process: `python -m scenarios.world.fakes_process sam3=8007 a100=8008 ...`."""

import asyncio
import logging
import signal
import sys
from contextlib import AsyncExitStack

import uvloop

from fakes.kit.serve import serving
from fakes.kit.simulated import Simulated
from fakes.registry import BLOB, SERVICES
from fakes.settings import ServiceSettings
from scenarios.pipeline import service_of


def _fake(name: str) -> Simulated:
    service = BLOB if name == BLOB.name else SERVICES[service_of(name)]
    return service.create_app(ServiceSettings())


async def main(ports: dict[str, int]) -> None:
    """Serve each named fake on its port until SIGINT or SIGTERM. Settings come from the environment (docs/fakes.md)."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as serving_all:
        for name, port in ports.items():
            await serving_all.enter_async_context(serving(_fake(name), port=port))
        await stop.wait()


if __name__ == "__main__":
    logging.getLogger("azure").setLevel(logging.WARNING)
    uvloop.run(main({name: int(port) for name, port in (word.split("=") for word in sys.argv[1:])}))
