"""All fakes of the virtual world in one process: `python -m scenarios.world.fakes_process sam3=8007 a100=8008 ...`.

What the fakes draw is a pure function of what they are given, so this process draws each picture once: scenarios that
post the same small photo cost little more than their calls.
"""

import asyncio
import logging
import signal
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import wraps
from hashlib import blake2b
from typing import Any

import uvloop
from fastapi import FastAPI

from fakes import pictures
from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from fakes.registry import BLOB, SERVICES
from scenarios.pipeline import service_of

DRAWN = ("generate", "paint_strokes", "remove_background", "resize", "segment", "zoom_level")
REMEMBERED = 64
"""Results kept of each function. Scenarios use few photos, and most of them are small."""


def remembering(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a pure function of pictures so that the same arguments are drawn once."""
    results: OrderedDict[bytes, Any] = OrderedDict()

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> Any:
        digest = blake2b(digest_size=16)
        for value in (*given, *sorted(named.items())):
            digest.update(value if isinstance(value, bytes) else repr(value).encode())
            digest.update(b"\0")
        key = digest.digest()
        result = results.get(key)  # one look: another thread may push it out meanwhile
        if result is None:
            result = results[key] = draw(*given, **named)
            if len(results) > REMEMBERED:
                results.popitem(last=False)
        return result

    return drawn


def _fake(name: str) -> FastAPI:
    service = BLOB if name == BLOB.name else SERVICES[service_of(name)]
    return service.create_app(FakeSettings())


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
    for name in DRAWN:
        setattr(pictures, name, remembering(getattr(pictures, name)))
    uvloop.run(main({name: int(port) for name, port in (word.split("=") for word in sys.argv[1:])}))
