"""Serve the console: `python -m scenarios.console --gateway http://127.0.0.1:8000 --fake a100=http://127.0.0.1:18008`.

Temporal is found as the gateway finds it, by TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from app.process.temporal import connect
from scenarios.console.addresses import Addresses
from scenarios.console.application import create_console
from scenarios.console.fakes import Fakes
from scenarios.console.reproductions import Reproductions
from scenarios.console.scenario_runs import ScenarioRuns
from scenarios.stack.live import LivePlace


async def serve(addresses: Addresses, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    temporal = await connect(lazy=True)
    async with Fakes(addresses.controls) as fakes:
        place = LivePlace(addresses.gateway, temporal, fakes.controls)
        async with ScenarioRuns(place) as runs, Reproductions() as reproductions:
            await _serve(create_console(addresses, fakes, runs, reproductions, temporal), host, port)


async def _serve(app: FastAPI, host: str, port: int) -> None:
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    await uvicorn.Server(config).serve()


def main(arguments: Sequence[str]) -> int:
    """Read the command line and serve; return the exit code: 2 for a wrong word."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.console", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, help="where to listen (default 8080)")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000", help="the gateway, as the browser reaches it")
    parser.add_argument("--temporal-ui", default="", help="Temporal's web UI, as the browser reaches it")
    parser.add_argument("--fake", action="append", default=[], metavar="NAME=URL", help="the control plane of a fake")
    chosen = parser.parse_args(arguments)
    controls = dict(word.partition("=")[::2] for word in chosen.fake)
    try:
        addresses = Addresses(
            gateway=chosen.gateway.rstrip("/"),
            controls=controls,
            temporal_ui=chosen.temporal_ui.rstrip("/"),
            namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
        )
    except ValueError as error:
        parser.error(str(error))
    asyncio.run(serve(addresses, chosen.host, chosen.port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
