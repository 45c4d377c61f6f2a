"""`make console`: the stack with its console, and an example to look at, opened in the browser."""

import argparse
import asyncio
import sys
import webbrowser
from collections.abc import Sequence

import httpx

from scenarios.console import samples
from scenarios.gateway_client import GatewayClient, RefusedError, start_body
from scenarios.processes.child import StackError
from scenarios.processes.ports import PortTakenError
from scenarios.processes.signals import Stopped, until_signalled
from scenarios.stack.ports import Ports
from scenarios.stack.programs import ALL_PARTS, BESIDE, RUN, Options
from scenarios.stack.stack import Stack

HOME = RUN / "up"
TIME_SCALE = 0.08
EXAMPLE_FAULTS = ("resize-busy", "mask-lost")
"""What goes wrong in the example, so that there are attempts and waits to see."""


def main(arguments: Sequence[str]) -> int:
    """Open the console of the stack that is up, or start one until Ctrl-C.

    Exit codes: 0 as asked; 1 a process did not start or ended by itself; 2 a port is taken.
    """
    parser = argparse.ArgumentParser(prog="make console", description=main.__doc__)
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    chosen = parser.parse_args(arguments)
    try:
        return asyncio.run(until_signalled(_show(browser=not chosen.no_browser), lambda: _say("\nstopping everything")))
    except Stopped:
        return 0
    except PortTakenError as error:
        return _complain(f"{error}\nnothing was started: stop what uses the port, then try again", 2)
    except (StackError, RefusedError) as error:
        return _complain(str(error), 1)


async def _show(*, browser: bool) -> int:
    page = f"http://localhost:{Ports().console}"
    if await _is_up(page):
        _open(f"{page}/?workflow={await example(page)}", browser=browser)
        return 0
    _say("starting the stack (a few seconds) ...")
    options = Options(parts=ALL_PARTS | BESIDE, time_scale=TIME_SCALE)
    async with Stack(home=HOME, ports=Ports(), options=options) as stack:
        _open(f"{page}/?workflow={await example(page)}", browser=browser)
        _say("Ctrl-C stops everything.")
        raise await stack.first_death()


async def example(page: str, faults: Sequence[str] = EXAMPLE_FAULTS) -> str:
    """Start a try-on of the sample that meets these faults of the console's, and return its workflow id."""
    async with httpx.AsyncClient(base_url=page, trust_env=False, timeout=30) as console:
        config = (await console.get("/harness/config")).raise_for_status().json()
        fresh = (await console.get("/harness/next")).raise_for_status().json()
        for name in faults:
            switched = {"on": True, "workflow_id": fresh["workflowId"]}
            (await console.put(f"/harness/fakes/switches/{name}", json=switched)).raise_for_status()
    async with GatewayClient(config["gateway"]) as gateway:
        return await gateway.start(start_body(samples.sample("far"), samples.points("far")), key=fresh["key"])


async def _is_up(page: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=3) as http:
        try:
            return (await http.get(f"{page}/harness/config")).is_success
        except httpx.TransportError:
            return False


def _open(address: str, *, browser: bool) -> None:
    _say(f"the console: {address}")
    if browser:
        webbrowser.open(address)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's own terminal


def _complain(words: str, code: int) -> int:
    print("\n".join(f"make console: {line}" for line in words.splitlines()), file=sys.stderr)  # noqa: T201 - as above
    return code
