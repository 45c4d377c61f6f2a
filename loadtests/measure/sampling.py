"""What happens inside the system during a run: slots and queues of the fakes, CPU and memory of the processes."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import psutil

from app.process.background import beside
from fakes.kit.client import AsyncControl, ControlError
from loadtests.measure.process_usage import Reading, Watch

INTERVAL_S = 0.5


@dataclass(frozen=True)
class Sample:
    """One look, at Unix seconds. By service: slots, those taken, calls that wait. By process: readings."""

    at: float
    slots: dict[str, int] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Reading] = field(default_factory=dict)
    machine: float = 0.0
    """What part of the machine's CPUs was busy since the look before, with whatever: 0 to 1."""


class SamplingError(Exception):
    """Nobody watched any more, so a run would not know what happened inside."""


@asynccontextmanager
async def sampling(fakes: Mapping[str, str], pids: Mapping[str, int]) -> AsyncIterator[list[Sample]]:
    """Look twice a second until the context ends. `fakes` are control planes by service, `pids` processes by name.

    Raises:
        SamplingError: a look failed; the block was cancelled.
    """
    samples: list[Sample] = []
    async with AsyncExitStack() as stack:
        controls = {name: await stack.enter_async_context(AsyncControl(url)) for name, url in fakes.items()}
        watch = Watch(pids)

        async def look() -> None:
            states = dict(zip(controls, await asyncio.gather(*map(_state, controls.values())), strict=True))
            samples.append(
                Sample(
                    time.time(),
                    {name: state["slots"] for name, state in states.items() if state},
                    {name: state["busy_slots"] for name, state in states.items() if state},
                    {name: state["queue_depth"] for name, state in states.items() if state},
                    watch.read(),
                    psutil.cpu_percent() / 100,
                )
            )

        async def run() -> None:
            while True:
                try:
                    await look()
                except Exception as error:
                    raise SamplingError(f"the watch over fakes and processes died: {error!r}") from error
                await asyncio.sleep(INTERVAL_S)

        async with beside(run(), "sampling"):
            yield samples


async def _state(control: AsyncControl) -> dict[str, int] | None:
    try:
        return await control.health()
    except ControlError:
        return None  # a fake that refuses, or is gone, has no queue to see
