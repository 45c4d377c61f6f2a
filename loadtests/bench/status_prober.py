"""Asks for one try-on's status at a steady rate, in a process of its own: who sends photos would measure itself.

`python -m loadtests.bench.status_prober URL WORKFLOW_ID` says `ready`, begins at a line on its standard input, ends
with that input, and prints the seconds that each answer took, as JSON.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from scenarios.processes.child import Program, talking, unasked

EVERY_S = 0.05
"""A status each 50 ms, whether or not the one before is answered: as many browsers do."""


@asynccontextmanager
async def looking(url: str, workflow_id: str, home: Path) -> AsyncIterator[list[float]]:
    """Look until the context ends; the list holds the seconds of each answer then, ascending. Its log is in `home`.

    Raises:
        RuntimeError: a status was not answered as it should be.
    """
    program = Program(
        name="status-prober",
        words=(sys.executable, "-m", "loadtests.bench.status_prober", url, workflow_id),
        environment=os.environ,
        healthy=unasked,
        addresses={},
        talks=True,
    )
    took: list[float] = []
    async with talking(program, log=home / "status-prober.log") as prober:
        lines = prober.lines()
        await anext(lines, None)  # it is ready
        prober.tell("go")
        yield took
        prober.hang_up()
        said = await anext(lines, "")
        if await prober.ended():
            raise RuntimeError(prober.story("did not get the answers to its questions after a status"))
    took.extend(sorted(json.loads(said)))


async def _look(http: httpx.AsyncClient, path: str) -> float:
    began = time.perf_counter()
    (await http.get(path)).raise_for_status()
    return time.perf_counter() - began


async def _main(url: str, workflow_id: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        path = f"/workflow/{workflow_id}"
        await asyncio.gather(*(_look(http, path) for _ in range(10)))  # they pay for connections
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        ending = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        looks: list[asyncio.Task[float]] = []
        due = time.perf_counter()
        while not ending.done():
            looks.append(asyncio.create_task(_look(http, path)))
            due += EVERY_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        print(json.dumps(await asyncio.gather(*looks)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
