"""A contender's client in a process of its own, so that its CPU is counted as the gateway's is for the pipeline.

`python -m loadtests.comparisons.client no-op` says `ready` and runs a workflow for each line that it reads: it stages
the photo where there is one, starts the workflow and waits for its end. It answers each with `ok`, or what went wrong.
"""

import asyncio
import base64
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from subprocess import PIPE
from uuid import uuid4

from scenarios.stories.drawn import photo_bytes

START_S = 60
GRACE_S = 10
THREADS = 200
"""For clients that block: more than are ever asked for at once."""

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
async def client(kind: str, environment: Mapping[str, str]) -> AsyncIterator[Client]:
    """Start the client of a contender, and end it with the context.

    Raises:
        ContenderError: it does not start.
        TimeoutError: it is not ready within a minute.
    """
    words = (sys.executable, "-m", "loadtests.comparisons.client", kind)
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, env=environment)
    started = Client(process)
    try:
        async with asyncio.timeout(START_S):
            await started.ready()
        yield started
    finally:
        await started.close()


async def _noop() -> Run:
    from app.process.temporal import connect  # noqa: PLC0415 - here and below: each client imports its own world and no other
    from loadtests.bench.noop import TASK_QUEUE, NoopWorkflow  # noqa: PLC0415

    temporal = await connect()
    return lambda: temporal.execute_workflow(NoopWorkflow.run, id=str(uuid4()), task_queue=TASK_QUEUE)


async def _literal() -> Run:
    from app.process.temporal import connect  # noqa: PLC0415
    from loadtests.comparisons.literal import TASK_QUEUE, LiteralWorkflow  # noqa: PLC0415

    temporal = await connect()
    photo = base64.b64encode(photo_bytes("far")).decode()
    return lambda: temporal.execute_workflow(LiteralWorkflow.run, photo, id=str(uuid4()), task_queue=TASK_QUEUE)


async def _celery() -> Run:
    from loadtests.comparisons import celery_app  # noqa: PLC0415

    return _staged(celery_app.try_on)


async def _dbos() -> Run:
    from dbos import DBOSClient  # noqa: PLC0415

    from loadtests.comparisons import dbos_app  # noqa: PLC0415

    queue = DBOSClient(system_database_url=os.environ["DBOS_DATABASE_URL"])
    options = dbos_app.ENQUEUED
    return _staged(lambda key: queue.enqueue(options, key).get_result())


KINDS: dict[str, Callable[[], Awaitable[Run]]] = {
    "no-op": _noop,
    "literal": _literal,
    "celery": _celery,
    "dbos": _dbos,
}


def _staged(try_on: Callable[[str], object]) -> Run:
    """Return what stages the photo and runs a try-on, both in one of many threads."""
    from loadtests.comparisons import plain_steps  # noqa: PLC0415 - what it needs of the environment only some clients have

    photo = photo_bytes("far")
    threads = ThreadPoolExecutor(THREADS)

    def blocking() -> None:
        key = str(uuid4())
        plain_steps.stage(key, photo)
        try_on(key)

    return lambda: asyncio.get_running_loop().run_in_executor(threads, blocking)


async def _main(kind: str) -> None:
    run = await KINDS[kind]()

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
