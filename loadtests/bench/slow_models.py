"""A stack whose models take as long as a measurement wants, and whose server tells what it was asked."""

import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from fakes.kit.client import AsyncControl
from loadtests.bench.files import folder_in_memory
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import photo_bytes

MODELS: Mapping[str, Sequence[str]] = {"birefnet": ["submit"], "sam3": ["submit"], "a100": ["refine_mask", "generate"]}


class SlowModels(NamedTuple):
    """The stack, a client of its gateway, the port of Temporal's metrics, and the body of a try-on that uses all."""

    stack: Stack
    gateway: GatewayClient
    metrics: int
    body: bytes

    async def take(self, seconds: float, **other: float) -> None:
        """Let each call of a model take so long, but for those that are named."""
        for service, operations in MODELS.items():
            async with AsyncControl(self.stack.urls[service]) as control:
                await control.set_profile({"latency": {name: other.get(name, seconds) for name in operations}})

    async def generating(self) -> str:
        """Start a try-on and return its id when it generates."""
        workflow_id = await self.gateway.start(self.body, patience_s=PATIENCE_S)
        async with self.gateway.events(workflow_id) as stream:
            async for line in stream.aiter_lines():
                if "GENERATING_IMAGES" in line:
                    return workflow_id
        raise RuntimeError(f"the try-on {workflow_id} ended before it generated")

    async def server_metrics(self) -> str:
        """Return what the server says of itself, in the form of Prometheus."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://{HOST}:{self.metrics}/metrics")).raise_for_status().text


@asynccontextmanager
async def slow_models(at_once: int) -> AsyncIterator[SlowModels]:
    """Start the stack, for so many generations at once, and stop it at the end."""
    metrics = reserve_port()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder_in_memory()) as home:
        options = Options(
            profile="instant",
            temporal_ui=False,
            temporal_flags=["--metrics-port", str(metrics)],
            extra={"worker": {"A100_MAX_CONCURRENT": str(at_once)}},
        )
        async with (
            Stack(home=Path(home), options=options) as stack,
            GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S) as gateway,
        ):
            body = json.dumps(start_body(photo_bytes("far"), strokes=STROKES)).encode()
            yield SlowModels(stack, gateway, metrics, body)
