"""What a status costs: `python -m loadtests.bench.statuses`, and a part of `make bench`.

`GET /workflow/{id}` of running try-ons stands beside a bare `describe()` by the SDK, on the same server, 32 at a time.
Each keeps one Python process busy, so their share is that of the CPU: how many a second one gateway answers for each
that one process could ask Temporal itself. Then one try-on is watched by ten, and by a thousand.
"""

import asyncio
import re
import sys
import time
from dataclasses import dataclass

from loadtests.bench.slow_models import SlowModels, slow_models
from loadtests.measure.connections import ask
from loadtests.measure.process_usage import Meter
from scenarios.processes.signals import ended_in_order, until_signalled
from scenarios.stack.stack import Stack

AT_ONCE = 32
EACH = 60
"""Questions by each of them, in a round."""
ROUNDS = 3
GENERATES_S = 600.0
"""Until then the try-ons run."""
SHARE_GOAL = 0.7
WATCHERS = (10, 1000)
WATCHED_S = 10.0
COUNTED_S = 2.0
LOOKS = re.compile(
    r'^service_requests\{[^}]*operation="DescribeWorkflowExecution"[^}]*service_name="frontend"[^}]*\} (\d+)$',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Statuses:
    """CPU seconds of a look and of a status, how many a second of both, and by watchers Temporal's looks a second."""

    describe_s: float
    status_s: float
    describes: float
    statuses: float
    looks: dict[int, float]

    @property
    def share(self) -> float:
        """What one gateway answers, of what one process could ask."""
        return self.describe_s / self.status_s

    @property
    def kept(self) -> bool:
        """Whether both goals are kept: a thousand watchers cost Temporal no more than ten, but for one look."""
        few, many = (self.looks[number] for number in WATCHERS)
        return self.share >= SHARE_GOAL and many <= few + 1 / WATCHED_S

    def told(self) -> str:
        """Return the figures as a sentence."""
        looks = ", ".join(f"{number} watchers of one try-on {each:.1f}" for number, each in self.looks.items())
        return (
            f"a status {self.status_s * 1e3:.2f} ms of the gateway's CPU ({self.statuses:.0f}/s), a bare describe() "
            f"{self.describe_s * 1e3:.2f} ms of its caller's ({self.describes:.0f}/s): {self.share:.2f} of it (goal "
            f"{SHARE_GOAL:g}); looks a second at Temporal: {looks}"
        )


async def measure() -> Statuses:
    """Measure on a stack of its own.

    Raises:
        RuntimeError: a status was not answered as it should be.
    """
    async with slow_models(AT_ONCE) as models:
        await models.take(0, generate=GENERATES_S)
        ids = await asyncio.gather(*(models.generating() for _ in range(AT_ONCE)))
        described, asked = [], []
        for _ in range(ROUNDS):  # in turns, so that a busy moment of the machine hits both
            described.append(await _describe(models.stack, ids))
            asked.append(await _ask(models.stack, ids))
        looks = {number: await _watch(models, ids[0], number) for number in WATCHERS}
    describe_s, describe_took = map(min, zip(*described, strict=True))
    status_s, status_took = map(min, zip(*asked, strict=True))
    return Statuses(describe_s, status_s, 1 / describe_took, 1 / status_took, looks)


async def _describe(stack: Stack, ids: list[str]) -> tuple[float, float]:
    """Return the CPU of this process, and the time, for each `describe()`."""
    client = await stack.temporal()

    async def one(workflow_id: str) -> None:
        handle = client.get_workflow_handle(workflow_id)
        for _ in range(EACH):
            await handle.describe()

    await asyncio.gather(*(client.get_workflow_handle(workflow_id).describe() for workflow_id in ids))
    used, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*map(one, ids))
    number = EACH * len(ids)
    return (time.process_time() - used) / number, (time.perf_counter() - began) / number


async def _ask(stack: Stack, ids: list[str]) -> tuple[float, float]:
    """Return the CPU of the gateway, and the time, for each status."""
    urls = [f"{stack.urls['gateway']}/workflow/{workflow_id}" for workflow_id in ids]
    await ask(urls, 1)
    with Meter({"gateway": stack["gateway"].pid}, interval=1) as meter:
        began = time.perf_counter()
        answers = await ask(urls, EACH)
        took = time.perf_counter() - began
    return meter.costs()["gateway"].cpu / len(answers), took / len(answers)


async def _watch(models: SlowModels, workflow_id: str, watchers: int) -> float:
    """Return how often a second Temporal is asked while so many read the events of one try-on."""
    host, port = models.stack.urls["gateway"].removeprefix("http://").split(":")
    request = f"GET /workflow/{workflow_id}/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    await _counted(models)
    opened = [await asyncio.open_connection(host, int(port)) for _ in range(watchers)]
    try:
        for _, writer in opened:
            writer.write(request)
        for reader, _ in opened:
            await reader.readuntil(b"data:")
        before, began = await _looks(models), time.perf_counter()
        await asyncio.sleep(WATCHED_S)
        return (await _looks(models) - before) / (time.perf_counter() - began)
    finally:
        for _, writer in opened:
            writer.close()
        for _, writer in opened:
            await writer.wait_closed()


async def _counted(models: SlowModels) -> None:
    """Wait until the server has counted what it was asked before: it adds that up once a second."""
    count, before = await _looks(models), -1
    while count != before:
        await asyncio.sleep(COUNTED_S)
        count, before = await _looks(models), count


async def _looks(models: SlowModels) -> int:
    return sum(map(int, LOOKS.findall(await models.server_metrics())))


async def main() -> int:
    """Measure, print, judge."""
    seen = await measure()
    print(f"statuses: {'ok' if seen.kept else 'MISSED'}: {seen.told()}")
    return 0 if seen.kept else 1


if __name__ == "__main__":
    sys.exit(ended_in_order(lambda: asyncio.run(until_signalled(main()))))
