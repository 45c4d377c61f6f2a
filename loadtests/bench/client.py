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
from subprocess import PIPE

START_S = 60
GRACE_S = 10

Run = Callable[[], Awaitable[object]]


class ContenderError(Exception):
    """A workflow of a benchmark did not complete, so its figures would mean nothing."""


class Client:
    """Runs workflows in the client process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read(), name="answers of a client")

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

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
        assert self._process.stdin is not None
        self._process.stdin.write(b"run\n")
        answer = await self._answers.get()  # whose it is does not matter: all are alike
        if answer != "ok":
            raise ContenderError(answer)

    async def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), GRACE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._answers.put_nowait(line.decode().strip())
        self._answers.put_nowait("the client has ended; what it said is above")


@asynccontextmanager
async def client(asking: str, environment: Mapping[str, str]) -> AsyncIterator[Client]:
    """Start the client process of a contender, and end it with the context. `asking` is its MODULE:FUNCTION.

    Raises:
        ContenderError: it does not start.
        TimeoutError: it is not ready within a minute.
    """
    words = (sys.executable, "-m", "loadtests.bench.client", asking)
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, env=environment)
    started = Client(process)
    try:
        async with asyncio.timeout(START_S):
            await started.ready()
        yield started
    finally:
        await started.close()


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
