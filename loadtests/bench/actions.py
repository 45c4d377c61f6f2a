"""What Temporal Cloud would bill for one try-on, and how soon a cancellation is done.

`make bench-pipeline` prints it at its end, `python -m loadtests.bench.actions` alone, in three minutes.

The server itself counts its actions (its metric `action`, by which Temporal estimates a bill before one moves to the
Cloud): starts, activities and their retries, heartbeats that reach it, signals, updates, queries, timers. Looks at a
workflow, its history and its result are no actions.
"""

import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from app.pipeline.policies import HEARTBEAT_INTERVAL
from fakes.kit.client import AsyncControl
from loadtests.bench.files import folder_in_memory
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.programs import NAMESPACE, Options
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import photo_bytes

SERVICE_S = (5.0, 120.0)
"""The service time of a try-on: a quarter at each of the four models."""
MODELS: Mapping[str, Sequence[str]] = {"birefnet": ["submit"], "sam3": ["submit"], "a100": ["refine_mask", "generate"]}
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
    metrics = reserve_port()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder_in_memory()) as home:
        options = Options(
            profile="instant",
            temporal_ui=False,
            temporal_flags=["--metrics-port", str(metrics)],
            extra={"worker": {"A100_MAX_CONCURRENT": str(CANCELS)}},
        )
        async with (
            Stack(home=Path(home), options=options) as stack,
            GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S) as gateway,
        ):
            body = json.dumps(start_body(photo_bytes("far"), strokes=STROKES)).encode()
            for seconds in SERVICE_S:
                await service_time(stack, seconds / 4)
                before = await _actions(metrics)
                await gateway.try_on(body)
                billed = _told(await _actions(metrics) - before)
                print(f"actions of one try-on with {seconds:g} s of service time: {billed}", flush=True)
            await service_time(stack, 0, generate=SERVICE_S[-1])
            running = await asyncio.gather(*(generating(gateway, body) for _ in range(CANCELS)))
            took = []
            for number, workflow_id in enumerate(running):
                await asyncio.sleep(number * STAGGER_S)  # so that they come at every place between two heartbeats
                took.append(await _cancel(gateway, workflow_id))
    print(
        f"{CANCELS} cancellations of the longest call, with a heartbeat each {HEARTBEAT_INTERVAL:g} s: "
        f"{statistics.median(took):.2f} s, {max(took):.2f} s at most"
    )
    return max(took) < CANCEL_GOAL_S


async def service_time(stack: Stack, seconds: float, **other: float) -> None:
    """Let each call of a model take so long, but for those that are named."""
    for service, operations in MODELS.items():
        async with AsyncControl(stack.urls[service]) as control:
            await control.set_profile({"latency": {name: other.get(name, seconds) for name in operations}})


async def temporals_metrics(port: int) -> str:
    """Return what the server says of itself, in the form of Prometheus."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://{HOST}:{port}/metrics")).raise_for_status().text


async def _actions(port: int) -> Counter[str]:
    return counted(await temporals_metrics(port))


def counted(metrics: str) -> Counter[str]:
    """Return the actions of the try-ons' namespace by kind."""
    found: Counter[str] = Counter()
    for kind, count in COUNTED.findall(metrics):
        found[KINDS.get(kind, kind)] += int(count)
    return found


def _told(actions: Counter[str]) -> str:
    return f"{actions.total()} ({', '.join(f'{count} {kind}' for kind, count in actions.items())})"


async def generating(gateway: GatewayClient, body: bytes) -> str:
    """Start a try-on and return its id when it generates."""
    workflow_id = await gateway.start(body, patience_s=PATIENCE_S)
    async with gateway.events(workflow_id) as stream:
        async for line in stream.aiter_lines():
            if "GENERATING_IMAGES" in line:
                return workflow_id
    raise RuntimeError(f"the try-on {workflow_id} ended before it generated")


async def _cancel(gateway: GatewayClient, workflow_id: str) -> float:
    """Cancel a try-on, and return how long it took to be CANCELLED."""
    began = time.perf_counter()
    await gateway.cancel(workflow_id)
    view = await gateway.follow(workflow_id)
    if view["status"] != "CANCELLED":
        raise RuntimeError(f"a cancelled try-on ended as {view}")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(measure()) else 1)
