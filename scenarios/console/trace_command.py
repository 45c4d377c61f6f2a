"""`make trace ID=…`: one try-on's trace as a tree, from the stack that is up; without an id, of a fresh example."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import httpx

from scenarios.console.command import example
from scenarios.gateway_client import GatewayClient, RefusedError
from scenarios.processes.signals import until_signalled
from scenarios.stack.ports import Ports

SETTLE_S = 2.0
"""Spans are sent in batches; so long after a try-on's end they have arrived."""


def main(arguments: Sequence[str]) -> int:
    """Print the tree. Exit codes: 0 printed, 1 no such trace, 2 no stack is up."""
    parser = argparse.ArgumentParser(prog="make trace", description=__doc__)
    parser.add_argument("workflow_id", nargs="?", default="", help="of which try-on; a new one if none is named")
    parser.add_argument("--console", default=f"http://localhost:{Ports().console}", help="the console's address")
    chosen = parser.parse_args(arguments)
    try:
        return asyncio.run(until_signalled(_print(chosen.console, chosen.workflow_id)))
    except httpx.TransportError:
        return _complain(f"no console answers at {chosen.console}: start the stack with `make up`", 2)
    except (RefusedError, httpx.HTTPStatusError) as error:
        return _complain(str(error), 1)


async def _print(console: str, workflow_id: str) -> int:
    async with httpx.AsyncClient(base_url=console, trust_env=False, timeout=70) as http:
        if not workflow_id:
            gateway = (await http.get("/harness/config")).raise_for_status().json()["gateway"]
            workflow_id = await example(console)
            async with GatewayClient(gateway) as client:
                await client.follow(workflow_id)
            await asyncio.sleep(SETTLE_S)
        answer = await http.get(f"/harness/traces/{workflow_id}")
    if not answer.is_success:
        return _complain(answer.json()["message"], 1)
    print(answer.json()["tree"])  # noqa: T201 - the command's own terminal
    return 0


def _complain(words: str, code: int) -> int:
    print(f"make trace: {words}", file=sys.stderr)  # noqa: T201 - the command's own terminal
    return code
