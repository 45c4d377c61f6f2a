"""A batch of workflows, so many at once, and what the processes used meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import psutil

from loadtests.bench.client import ContenderError
from loadtests.measure.process_usage import MIB, Cost, Meter

LONGEST_S = 600
"""A batch that takes longer has hung."""


@dataclass(frozen=True)
class Batch:
    """What a number of workflows took together. Durations and CPU in seconds; `moved` is what crossed loopback."""

    workflows: int
    seconds: float
    costs: dict[str, Cost]
    moved: int

    def cpu_each(self, name: str) -> float:
        """CPU seconds of one process for each workflow."""
        return self.costs[name].cpu / self.workflows

    @property
    def rate(self) -> float:
        """Workflows a second."""
        return self.workflows / self.seconds


async def batch(
    pids: Mapping[str, int],
    workflows: int,
    concurrent: int,
    one: Callable[[], Awaitable[object]],
    *,
    settle: float = 0,
) -> Batch:
    """Run a number of workflows, so many at once, and measure the processes meanwhile and `settle` seconds on.

    Raises:
        ContenderError: one of them did not complete.
    """
    free = asyncio.Semaphore(concurrent)

    async def held() -> None:
        async with free:
            await one()

    before = _loopback()
    with Meter(pids) as meter:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
                for _ in range(workflows):
                    group.create_task(held())
        except ExceptionGroup as failed:
            raise next((each for each in failed.exceptions if isinstance(each, ContenderError)), failed) from None
        seconds = time.perf_counter() - began
        await asyncio.sleep(settle)
    return Batch(workflows, seconds, meter.costs(), _loopback() - before)


def print_batch(title: str, measured: Batch) -> None:
    """Print one batch: its rate, and a line for each process."""
    print(f"{title}: {measured.seconds:.1f} s, {measured.rate:.2f}/s")
    for name, cost in sorted(measured.costs.items(), key=lambda item: -item[1].cpu):
        print(
            f"  {name:18} {measured.cpu_each(name) * 1e3:8.1f} ms CPU a workflow, "
            f"memory {cost.idle / MIB:5.0f} MiB at first, {cost.peak / MIB:5.0f} at its peak",
            flush=True,
        )


def _loopback() -> int:
    counted = psutil.net_io_counters(pernic=True)
    return int(counted["lo"].bytes_sent) if "lo" in counted else 0
