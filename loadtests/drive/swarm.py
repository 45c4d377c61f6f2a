"""Locust in processes of its own: started together, watched while they generate a load, stopped in any case."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadtests.plan import VARIABLE, Plan
from scenarios.processes.child import Child, Program, unasked
from scenarios.processes.leash import Leash
from scenarios.processes.ports import HOST, reserve_port

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
GRACE_S = 60
"""Beyond arrivals and drain: for Locust to draw its photos, start and leave."""
LEAVE_S = 15
"""So long one may take to leave once it is told to."""
STOP_S = 10
"""So long the load generators may take to write down what they have, when a run is interrupted."""


class RunError(Exception):
    """A run could not be made, or ended before its time; the message says what to do."""


async def generate(plan: Plan, home: Path, take: Callable[[dict[str, Any]], None]) -> None:
    """Run Locust until it has generated the load and written the records; its reports go to `take`.

    When it is cancelled, the load generators stop, and write down what they have before the cancellation goes on.

    Raises:
        RunError: Locust did not start, ended before its time, or did not end.
    """
    plan = plan.model_copy(update={"mix": plan.mix.resolve()})  # the load generators run in the folder of their logs
    plan.records.unlink(missing_ok=True)  # those of an earlier run must not be taken for this one's
    leash = Leash()  # they may not outlive a command that is killed
    children = [Child(program, log=home / f"{program.name}.log", leash=leash) for program in _programs(plan)]
    limit = plan.seconds + plan.drain_s + GRACE_S
    try:
        for child in children:
            child.log.unlink(missing_ok=True)
            await child.start(lambda _child: None)
        try:
            async with asyncio.timeout(limit):
                await _until_done(children, take)
        except TimeoutError:
            raise RunError(f"Locust did not end within {limit:g} s; its log: {children[0].log}") from None
        except asyncio.CancelledError:
            await _stop(children, take)
            raise
    finally:
        await asyncio.gather(*(child.stop() for child in children))
        leash.close()


def _programs(plan: Plan) -> Iterator[Program]:
    """Give one Locust, or a master and its workers; the first is the one that reports."""
    words = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"]
    words += ["-u", str(plan.generators), "-r", str(plan.generators), "--loglevel", "WARNING"]
    words += ["--exit-code-on-error", "0"]  # failed requests are for the verdict; another code is Locust's own failure
    environment = os.environ | {VARIABLE: plan.model_dump_json(), "PYTHONUNBUFFERED": "1"}

    def program(name: str, *more: str, talks: bool = False) -> Program:
        return Program(
            name=name,
            words=[*words, *more],
            environment=environment,
            healthy=unasked,
            addresses={},
            stop_grace=LEAVE_S,
            talks=talks,
        )

    if plan.generators == 1:
        yield program("locust", talks=True)
        return
    port = str(reserve_port())
    master = ("--master", "--master-bind-host", HOST, "--master-bind-port", port)
    yield program("locust", *master, "--expect-workers", str(plan.generators), talks=True)
    for number in range(plan.generators):
        yield program(f"locust-{number}", "--worker", "--master-host", HOST, "--master-port", port)


async def _until_done(children: Sequence[Child], take: Callable[[dict[str, Any]], None]) -> None:
    """Take reports until the first child ends; a load generator that fails meanwhile ends the run."""
    first, *workers = children
    reading = asyncio.ensure_future(_read_reports(first, take))
    ends = {asyncio.ensure_future(worker.ended()): worker for worker in workers}
    try:
        while not reading.done():
            await asyncio.wait({reading, *(end for end in ends if not end.done())}, return_when="FIRST_COMPLETED")
            for end, worker in ends.items():
                if end.done() and end.result():
                    raise _failed(worker, end.result())
        await reading
        if code := await first.ended():
            raise _failed(first, code)
    finally:
        for task in (reading, *ends):
            task.cancel()
        await asyncio.gather(reading, *ends, return_exceptions=True)


def _failed(child: Child, code: int) -> RunError:
    tail = "\n".join(child.tail())
    return RunError(f"a load generator ended with exit code {code}; its log: {child.log}:\n{tail}")


async def _read_reports(child: Child, take: Callable[[dict[str, Any]], None]) -> None:
    async for line in child.lines():
        if line.startswith('{"ended"'):
            take(json.loads(line))


async def _stop(children: Sequence[Child], take: Callable[[dict[str, Any]], None]) -> None:
    """Let the load generators stop by themselves: what runs is censored, and every record is written."""
    children[0].signal(signal.SIGUSR1)
    with suppress(TimeoutError, RunError):
        async with asyncio.timeout(STOP_S):
            await _until_done(children, take)
