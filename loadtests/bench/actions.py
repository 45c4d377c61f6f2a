"""What Temporal Cloud would bill for one try-on, and how soon a cancellation is done.

`make bench-pipeline` prints it at its end, `python -m loadtests.bench.actions` alone, in three minutes.

The server itself counts its actions (its metric `action`, by which Temporal estimates a bill before one moves to the
Cloud): starts, activities and their retries, heartbeats that reach it, signals, updates, queries, timers. Looks at a
workflow, its history and its result are no actions.
"""

import asyncio
import re
import statistics
import sys
import time
from collections import Counter

from app.pipeline.policies import HEARTBEAT_INTERVAL
from loadtests.bench.slow_models import slow_models
from scenarios.gateway_client import GatewayClient
from scenarios.processes.signals import ended_in_order, until_signalled
from scenarios.stack.programs import NAMESPACE

SERVICE_S = (5.0, 120.0)
"""The service time of a try-on: a quarter at each of the four models."""
KINDS = {
    "grpc_StartWorkflowExecution": "starts",
    "command_ScheduleActivityTask": "activities",
    "activity_retry": "retries",
    "grpc_RecordActivityTaskHeartbeat": "heartbeats",
    "command_StartTimer": "timers",
}
"""What the metric calls them; whatever else there is keeps its name."""
COUNTED = re.compile(rf'^action{{action_type="(\w+)",namespace="{NAMESPACE}".*}} (\d+)$', re.MULTILINE)
CANCELS = 12
STAGGER_S = 0.13
CANCEL_GOAL_S = 2.0


async def measure() -> bool:
    """Measure and print; say whether every cancellation was done in time."""
    async with slow_models(CANCELS) as models:
        for seconds in SERVICE_S:
            await models.take(seconds / 4)
            before = counted(await models.server_metrics())
            await models.gateway.try_on(models.body)
            billed = _told(counted(await models.server_metrics()) - before)
            print(f"actions of one try-on with {seconds:g} s of service time: {billed}", flush=True)
        await models.take(0, generate=SERVICE_S[-1])
        running = await asyncio.gather(*(models.generating() for _ in range(CANCELS)))
        took = []
        for number, workflow_id in enumerate(running):
            await asyncio.sleep(number * STAGGER_S)  # so that they come at every place between two heartbeats
            took.append(await _cancel(models.gateway, workflow_id))
    print(
        f"{CANCELS} cancellations of the longest call, with a heartbeat each {HEARTBEAT_INTERVAL:g} s: "
        f"{statistics.median(took):.2f} s, {max(took):.2f} s at most"
    )
    return max(took) < CANCEL_GOAL_S


def counted(metrics: str) -> Counter[str]:
    """Return the actions of the try-ons' namespace by kind."""
    found: Counter[str] = Counter()
    for kind, count in COUNTED.findall(metrics):
        found[KINDS.get(kind, kind)] += int(count)
    return found


def _told(actions: Counter[str]) -> str:
    return f"{actions.total()} ({', '.join(f'{count} {kind}' for kind, count in actions.items())})"


async def _cancel(gateway: GatewayClient, workflow_id: str) -> float:
    """Cancel a try-on, and return how long it took to be CANCELLED."""
    began = time.perf_counter()
    await gateway.cancel(workflow_id)
    view = await gateway.follow(workflow_id)
    if view["status"] != "CANCELLED":
        raise RuntimeError(f"a cancelled try-on ended as {view}")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(ended_in_order(lambda: 0 if asyncio.run(until_signalled(measure())) else 1))
