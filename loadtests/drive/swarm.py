"""Locust in processes of its own: started together, watched while they generate a load, stopped in any case."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.plan import VARIABLE, Plan
from scenarios.processes.leash import Leash
from scenarios.processes.ports import HOST, reserve_port

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
GRACE_S = 60
"""Beyond arrivals and drain: for Locust to draw its photos, start and leave."""
STOP_S = 10
"""So long the load generators may take to write down what they have, when a run is interrupted."""


class RunError(Exception):
    """A run could not be made, or ended before its time; the message says what to do."""


@dataclass(frozen=True)
class _Child:
    process: asyncio.subprocess.Process
    log: Path

    def failed(self) -> RunError:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        code = self.process.returncode
        return RunError(f"a load generator ended with exit code {code}; its log: {self.log}:\n{tail}")


async def generate(plan: Plan, home: Path, take: Callable[[dict[str, Any]], None]) -> None:
    """Run Locust until it has generated the load and written the records; its reports go to `take`.

    When it is cancelled, the load generators stop, and write down what they have before the cancellation goes on.

    Raises:
        RunError: Locust did not start, ended before its time, or did not end.
    """
    plan.records.unlink(missing_ok=True)  # those of an earlier run must not be taken for this one's
    children: list[_Child] = []
    leash = Leash()  # they have sessions of their own, and may not outlive a command that is killed
    try:
        limit = plan.seconds + plan.drain_s + GRACE_S
        await _start(plan, home, children, leash)
        try:
            async with asyncio.timeout(limit):
                await _until_done(children, take)
        except TimeoutError:
            raise RunError(f"Locust did not end within {limit:g} s; its log: {children[0].log}") from None
        except asyncio.CancelledError:
            await _stop(children, take)
            raise
    finally:
        await _end([child.process for child in children])
        for child in children:
            leash.remove(child.process.pid)
        leash.close()


async def _start(plan: Plan, home: Path, children: list[_Child], leash: Leash) -> None:
    """Start one Locust, or a master and its workers; the first child is the one that reports."""
    words = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"]
    words += ["-u", str(plan.generators), "-r", str(plan.generators), "--loglevel", "WARNING"]
    words += ["--exit-code-on-error", "0"]  # failed requests are for the verdict; another code is Locust's own failure
    environment = os.environ | {VARIABLE: plan.model_dump_json(), "PYTHONUNBUFFERED": "1"}

    async def start(name: str, *more: str) -> None:
        log = home / f"{name}.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *words,
                *more,
                env=environment,
                stdout=file if children else asyncio.subprocess.PIPE,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the command, which stops them in order
            )
        leash.add(process.pid)
        children.append(_Child(process, log))

    if plan.generators == 1:
        await start("locust")
        return
    port = str(reserve_port())
    master = ("--master", "--master-bind-host", HOST, "--master-bind-port", port)
    await start("locust", *master, "--expect-workers", str(plan.generators))
    for number in range(plan.generators):
        await start(f"locust-{number}", "--worker", "--master-host", HOST, "--master-port", port)


async def _until_done(children: Sequence[_Child], take: Callable[[dict[str, Any]], None]) -> None:
    """Take reports until the first child ends; a load generator that fails meanwhile ends the run."""
    first, *workers = children
    reading = asyncio.ensure_future(_read_reports(first.process, take))
    ends = {asyncio.ensure_future(worker.process.wait()): worker for worker in workers}
    try:
        while not reading.done():
            await asyncio.wait({reading, *(end for end in ends if not end.done())}, return_when="FIRST_COMPLETED")
            for end, worker in ends.items():
                if end.done() and end.result():
                    raise worker.failed()
        await reading
        if await first.process.wait():
            raise first.failed()
    finally:
        for task in (reading, *ends):
            task.cancel()
        await asyncio.gather(reading, *ends, return_exceptions=True)


async def _read_reports(process: asyncio.subprocess.Process, take: Callable[[dict[str, Any]], None]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b'{"ended"'):
            take(json.loads(line))


async def _stop(children: Sequence[_Child], take: Callable[[dict[str, Any]], None]) -> None:
    """Let the load generators stop by themselves: what runs is censored, and every record is written."""
    with suppress(ProcessLookupError):
        children[0].process.send_signal(signal.SIGUSR1)
    with suppress(TimeoutError, RunError):
        async with asyncio.timeout(STOP_S):
            await _until_done(children, take)


async def _end(processes: Sequence[asyncio.subprocess.Process]) -> None:
    running = [process for process in processes if process.returncode is None]
    for process in running:
        with suppress(ProcessLookupError):
            process.terminate()
    try:
        await asyncio.wait_for(asyncio.gather(*(process.wait() for process in running)), 15)
    except TimeoutError:
        for process in running:
            if process.returncode is None:
                process.kill()
                await process.wait()
