"""A contender's client in a process of its own, so that its CPU is counted as the gateway's is for the pipeline.

`python -m loadtests.bench.client loadtests.bench.noop:asking` gets from that function what runs one workflow to its
end, says `ready`, and runs one for each line that it reads. It answers each with `ok`, or what went wrong.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.process.background import aside
from scenarios.processes.child import Child, Program, talking, unasked

START_S = 60

Run = Callable[[], Awaitable[object]]


class ContenderError(Exception):
    """A workflow of a benchmark did not complete, so its figures would mean nothing."""


class Client:
    """Runs workflows in the client process."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._answers: asyncio.Queue[str] = asyncio.Queue()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    async def ready(self) -> None:
        """Wait until it is ready.

        Raises:
            ContenderError: it ended instead.
        """
        if (answer := await self._answers.get()) != "ready":
            raise ContenderError(answer)

    async def run(self) -> None:
        """Run one workflow to its end.

        Raises:
            ContenderError: it did not complete.
        """
        self._child.tell("run")
        answer = await self._answers.get()  # whose it is does not matter: all are alike
        if answer != "ok":
            raise ContenderError(answer)

    async def hear(self) -> None:
        """Take its answers until it ends."""
        async for line in self._child.lines():
            self._answers.put_nowait(line)
        await self._child.ended()
        self._answers.put_nowait(self._child.story("has ended"))


@asynccontextmanager
async def client(asking: str, environment: Mapping[str, str], home: Path) -> AsyncIterator[Client]:
    """Start the client process of a contender, and end it with the context. `asking` is its MODULE:FUNCTION.

    Raises:
        ContenderError: it does not start.
        TimeoutError: it is not ready within a minute.
    """
    program = Program(
        name="client",
        words=(sys.executable, "-m", "loadtests.bench.client", asking),
        environment=environment,
        healthy=unasked,
        addresses={},
        talks=True,
    )
    async with talking(program, log=home / "client.log") as child:
        started = Client(child)
        async with aside(started.hear(), "answers of a client"):
            async with asyncio.timeout(START_S):
                await started.ready()
            yield started
            child.hang_up()


async def _main(asking: str) -> None:
    module, _, function = asking.partition(":")
    make: Callable[[], Awaitable[Run]] = getattr(importlib.import_module(module), function)
    run = await make()

    async def answer() -> None:
        try:
            await run()
            print("ok", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the benchmark says it and ends
            print(f"{type(error).__name__}: {error}".splitlines()[0][:300], flush=True)

    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    print("ready", flush=True)
    running: set[asyncio.Task[None]] = set()
    async for _ in asked:
        task = asyncio.create_task(answer())
        running.add(task)
        task.add_done_callback(running.discard)
    os._exit(0)  # threads that wait for a task would keep it


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
