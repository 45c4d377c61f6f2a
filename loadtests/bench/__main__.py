"""`make bench`: what one start costs the gateway, and what 50 try-ons of 12 megapixels at once cost worker and gateway.

Every goal is a ratio or a limit within this run. The last line is the figure; the exit code is 1 when a goal is missed.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from loadtests.bench import contender, statuses
from loadtests.bench.batches import Batch, batch, print_batch
from loadtests.bench.files import folder_in_memory
from loadtests.bench.photos import phone_s, plain_photo, print_photo_costs
from loadtests.bench.status_prober import looking
from loadtests.measure.histogram import at_percentile
from loadtests.measure.process_usage import MIB, Meter
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.signals import ended_in_order, until_signalled
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

STARTS = 40
STARTS_AT_ONCE = 20
BURSTS = 5
STATUS_GOAL_S = 0.05
"""What 95 of 100 status requests may take while so many starts of 5 MB arrive at once."""
START_ALONE = frozenset({"temporal", "azurite", "gateway"})
NOOP_WORKFLOWS = 150
CPU_GOAL = 3.0
"""A start may cost the gateway this many times what json.loads alone takes on its body."""
MEMORY_GOAL = 100 * MIB
"""Worker and gateway may grow by this over idle."""


async def gateway_alone(content: bytes) -> tuple[float, float, list[float]]:
    """Return the CPU seconds of one start, those of json.loads on its body here, and latencies of status requests.

    The statuses are asked 20 times a second, while five times 20 starts at once arrive. There is no worker, whose
    try-ons would fight with the gateway for the cores.

    Raises:
        RefusedError: a start was not accepted.
        RuntimeError: a status was not answered as it should be.
    """
    loads: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder_in_memory()) as home:
        async with Stack(home=Path(home), options=Options(parts=START_ALONE, temporal_ui=False)) as stack:
            gateway = GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S)
            try:
                first = await gateway.start(content, patience_s=PATIENCE_S)  # it pays for connections
                with Meter({"gateway": stack["gateway"].pid}, interval=1) as meter:
                    for _ in range(STARTS):
                        began = time.process_time()
                        json.loads(content)
                        loads.append(time.process_time() - began)
                        await gateway.start(content, patience_s=PATIENCE_S)
                async with looking(stack.urls["gateway"], first, stack.home) as latencies:
                    for _ in range(BURSTS):
                        starts = (gateway.start(content, patience_s=PATIENCE_S) for _ in range(STARTS_AT_ONCE))
                        await asyncio.gather(*starts)
            finally:
                await gateway.close()
    return meter.costs()["gateway"].cpu / STARTS, statistics.median(loads), latencies


async def noop(stack: Stack, concurrent: int) -> Batch:
    """Run the no-op workflows, warmed up as they are in `make bench-pipeline`."""
    async with contender.noop(stack) as limit:
        await batch({}, concurrent, concurrent, limit.run)
        return await batch(limit.own, NOOP_WORKFLOWS, concurrent, limit.run)


async def main(concurrent: int) -> int:
    """Run, print, and say by the exit code whether the goals are kept."""
    photo = plain_photo()
    print_photo_costs(photo)
    content = json.dumps(start_body(phone_s(photo), strokes=STROKES)).encode()
    print(
        f"body of one start: {len(content) / 1e6:.1f} MB, a 12-megapixel JPEG as phones write it, in base64", flush=True
    )
    start, loads, looks = await gateway_alone(content)
    p95 = at_percentile(looks, 95)
    print(
        f"{BURSTS} times {STARTS_AT_ONCE} starts at once: all accepted; {len(looks)} statuses meanwhile, "
        f"median {statistics.median(looks) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms"
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with Stack(home=Path(home), options=Options(profile="instant", temporal_ui=False)) as stack:
            gateway = GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S)
            try:
                pids = {child.name: child.pid for child in stack}
                whole = await batch(pids, concurrent, concurrent, lambda: gateway.try_on(content))
                print_batch(f"{concurrent} try-ons of 12 megapixels at once", whole)
                limit = await noop(stack, concurrent)
                print_batch(f"{NOOP_WORKFLOWS} workflows of seven no-op activities, {concurrent} at once", limit)
            finally:
                await gateway.close()
    seen = await statuses.measure()
    print(seen.told())
    worker, grown = whole.costs["worker"].growth, whole.costs["gateway"].growth
    print(f"gateway CPU for one start: {start * 1e3:.1f} ms; json.loads on that body: {loads * 1e3:.1f} ms")
    kept = start / loads <= CPU_GOAL and max(worker, grown) < MEMORY_GOAL and p95 < STATUS_GOAL_S and seen.kept
    print(
        f"bench: {'ok' if kept else 'MISSED'}: start {start / loads:.2f} x json.loads (goal {CPU_GOAL:g}), "
        f"status p95 {p95 * 1e3:.0f} ms during {STARTS_AT_ONCE} starts (goal {STATUS_GOAL_S * 1e3:g}), "
        f"growth of worker {worker / MIB:.0f} MiB, of gateway {grown / MIB:.0f} MiB (goal {MEMORY_GOAL // MIB}), "
        f"{whole.rate:.2f} of {limit.rate:.1f} no-op workflows/s, statuses {seen.share:.2f} of describe() "
        f"(goal {statuses.SHARE_GOAL:g})"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the gateway and the worker with zero-latency fakes.")
    parser.add_argument("--concurrent", type=int, default=50, help="try-ons at once (default 50, the goal's number)")
    chosen = parser.parse_args()
    sys.exit(ended_in_order(lambda: asyncio.run(until_signalled(main(chosen.concurrent)))))
