"""Locust in a process of its own: started, watched while load is generated, stopped in any case."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadtests.plan import VARIABLE, Plan
from scenarios.processes.child import Child, Program, talking, unasked

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOCUST = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"]
# Failed requests are for the verdict; another code is Locust's own failure.
LOCUST += ["--exit-code-on-error", "0"]
GRACE_S = 60
"""Beyond arrivals and drain: for Locust to draw its photos, start and leave."""
LEAVE_S = 15
"""So long Locust may take to leave once it is told to."""
STOP_S = 10
"""So long the load generators may take to write down what they have, when a run is interrupted."""


class RunError(Exception):
    """A run could not be made, or ended before its time; the message says what to do."""


async def generate(plan: Plan, home: Path, take: Callable[[dict[str, Any]], None]) -> None:
    """Run Locust until it has generated the load and written the records; its reports go to `take`.

    When it is cancelled, the load generators stop, and write down what they have before the cancellation goes on.

    Raises:
        RunError: Locust did not start, ended before its time, or did not end; not all load workers came.
    """
    plan = plan.model_copy(update={"mix": plan.mix.resolve()})  # Locust runs in the folder of its log
    plan.records.unlink(missing_ok=True)  # those of an earlier run must not be taken for this one's
    log = home / "locust.log"
    log.unlink(missing_ok=True)
    limit = (plan.gather_s if plan.load_workers else 0) + plan.seconds + plan.drain_s + GRACE_S
    async with talking(_program(plan), log=log) as locust:
        try:
            async with asyncio.timeout(limit):
                await _until_done(locust, take)
        except TimeoutError:
            raise RunError(f"Locust did not end within {limit:g} s; its log: {log}") from None
        except asyncio.CancelledError:
            locust.signal(signal.SIGUSR1)
            with suppress(TimeoutError, RunError):
                async with asyncio.timeout(STOP_S):
                    await _until_done(locust, take)
            raise


def _program(plan: Plan) -> Program:
    words = [*LOCUST, "-f", str(LOCUSTFILE)]
    if plan.load_workers:
        host, _, port = plan.master.rpartition(":")
        words += ["--master", "--master-bind-host", host, "--master-bind-port", port]
        words += ["--expect-workers", str(plan.generators)]
    return Program(
        name="locust",
        words=words,
        environment=os.environ | {VARIABLE: plan.model_dump_json(), "PYTHONUNBUFFERED": "1"},
        healthy=unasked,
        addresses={},
        stop_grace=LEAVE_S,
        talks=True,
    )


async def _until_done(locust: Child, take: Callable[[dict[str, Any]], None]) -> None:
    """Take what Locust says until it ends."""
    async for line in locust.lines():
        if line.startswith('{"said"'):
            print(f"load: {json.loads(line)['said']}", file=sys.stderr, flush=True)
        elif line.startswith('{"refused"'):
            raise RunError(json.loads(line)["refused"])
        elif line.startswith('{"ended"'):
            take(json.loads(line))
    if code := await locust.ended():
        tail = "\n".join(locust.tail())
        raise RunError(f"the load generator ended with exit code {code}; its log: {locust.log}:\n{tail}")
