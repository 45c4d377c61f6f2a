"""`make bench`: what one start costs the gateway, and what 50 try-ons of 12 megapixels at once cost worker and gateway.

Every goal is a ratio or a limit within this run. The last line is the figure; the exit code is 1 when a goal is missed.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from fakes.pictures import portrait
from loadtests.bench.caller import Caller, body
from loadtests.bench.noop import TASK_QUEUE, NoopWorkflow
from loadtests.processes import MIB, Cost, Meter
from scenarios.engine.probes import polls
from scenarios.engine.processes import Program
from scenarios.engine.programs import NAMESPACE, Options
from scenarios.engine.stack import Stack
from scenarios.engine.supervisor import Supervisor

STARTS = 20
NOOP_WORKFLOWS = 150
LONGEST_S = 600
"""A batch that takes longer has hung."""
CPU_GOAL = 3.0
"""A start may cost the gateway this many times what json.loads alone takes on its body."""
MEMORY_GOAL = 250 * MIB
"""Worker and gateway may grow by this over idle."""


@dataclass(frozen=True)
class Batch:
    """What a number of workflows took together. Durations and CPU in seconds."""

    workflows: int
    seconds: float
    costs: dict[str, Cost]

    def cpu_each(self, name: str) -> float:
        """CPU seconds of one process for each workflow."""
        return self.costs[name].cpu / self.workflows

    @property
    def rate(self) -> float:
        """Workflows a second."""
        return self.workflows / self.seconds


async def batch(pids: dict[str, int], workflows: int, concurrent: int, one: Callable[[], Awaitable[object]]) -> Batch:
    """Run a number of workflows, so many at once, and measure the processes meanwhile."""
    free = asyncio.Semaphore(concurrent)

    async def held() -> None:
        async with free:
            await one()

    with Meter(pids) as meter:
        began = time.perf_counter()
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
            for _ in range(workflows):
                group.create_task(held())
        seconds = time.perf_counter() - began
    return Batch(workflows, seconds, meter.costs())


async def start_ratio(stack: Stack, caller: Caller, content: bytes) -> tuple[float, float]:
    """Return the gateway's CPU seconds for one start, and what json.loads takes on the same body here."""
    loads: list[float] = []
    started: list[str] = []
    with Meter({"gateway": stack["gateway"].pid}, interval=1) as meter:
        for _ in range(STARTS):
            began = time.process_time()
            json.loads(content)
            loads.append(time.process_time() - began)
            started.append(await caller.start(content))
    for workflow_id in started:
        await caller.finish(workflow_id)
    return meter.costs()["gateway"].cpu / STARTS, statistics.median(loads)


async def noop(stack: Stack, concurrent: int) -> Batch:
    """Run the no-op workflows with a worker process of their own."""
    worker = Program(
        name="noop",
        words=[sys.executable, "-m", "loadtests.bench.noop_worker"],
        environment=stack["worker"].program.environment,
        healthy=polls(stack.ports.temporal, namespace=NAMESPACE, queues=[TASK_QUEUE]),
        addresses={},
    )
    async with Supervisor([[worker]], home=stack.home) as workers:
        client = await Client.connect(stack.temporal_address)
        numbers = itertools.count()

        async def one() -> None:
            await client.execute_workflow(NoopWorkflow.run, id=f"noop-{next(numbers)}", task_queue=TASK_QUEUE)

        pids = {"worker": workers["noop"].pid, "temporal": stack["temporal"].pid}
        return await batch(pids, NOOP_WORKFLOWS, concurrent, one)


async def main(concurrent: int) -> int:
    """Run, print, and say by the exit code whether the goals are kept."""
    content = body(portrait(3000, 4000, seed=1))
    print(f"body of one start: {len(content) / 1e6:.1f} MB, a 12-megapixel JPEG in base64", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with Stack(home=Path(home), options=Options(profile="instant", temporal_ui=False)) as stack:
            caller = Caller(stack.urls["gateway"])
            try:
                pids = {child.name: child.pid for child in stack}
                whole = await batch(pids, concurrent, concurrent, lambda: caller.try_on(content))
                print_batch(f"{concurrent} try-ons of 12 megapixels at once", whole)
                limit = await noop(stack, concurrent)
                print_batch(f"{NOOP_WORKFLOWS} workflows of seven no-op activities, {concurrent} at once", limit)
                start, loads = await start_ratio(stack, caller, content)
            finally:
                await caller.close()
    worker, gateway = whole.costs["worker"].growth, whole.costs["gateway"].growth
    print(f"gateway CPU for one start: {start * 1e3:.1f} ms; json.loads on that body: {loads * 1e3:.1f} ms")
    kept = start / loads <= CPU_GOAL and max(worker, gateway) < MEMORY_GOAL
    print(
        f"bench: {'ok' if kept else 'MISSED'}: start {start / loads:.2f} x json.loads (goal {CPU_GOAL:g}), "
        f"growth of worker {worker / MIB:.0f} MiB, of gateway {gateway / MIB:.0f} MiB (goal {MEMORY_GOAL // MIB}), "
        f"{whole.rate:.2f} of {limit.rate:.1f} no-op workflows/s"
    )
    return 0 if kept else 1


def print_batch(title: str, measured: Batch) -> None:
    """Print one batch: its rate, and a line for each process."""
    print(f"{title}: {measured.seconds:.1f} s, {measured.rate:.2f}/s")
    for name, cost in sorted(measured.costs.items(), key=lambda item: -item[1].cpu):
        print(
            f"  {name:18} {measured.cpu_each(name) * 1e3:8.1f} ms CPU a workflow, "
            f"memory {cost.idle / MIB:5.0f} MiB at first, {cost.peak / MIB:5.0f} at its peak",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the gateway and the worker with zero-latency fakes.")
    parser.add_argument("--concurrent", type=int, default=50, help="try-ons at once (default 50, the goal's number)")
    sys.exit(asyncio.run(main(parser.parse_args().concurrent)))
