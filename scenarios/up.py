"""`make up`: the whole stack in the foreground, on its documented ports, until Ctrl-C."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scenarios.engine.ports import Ports, PortTakenError
from scenarios.engine.processes import Child, StackError
from scenarios.engine.programs import RUN, Options
from scenarios.engine.signals import Stopped, until_signalled
from scenarios.engine.stack import Stack

HOME = RUN / "up"


def main(arguments: Sequence[str]) -> int:
    """Start the stack, print each address once it is healthy, and stop everything when asked.

    Exit codes: 0 stopped as asked; 1 a process did not start or ended by itself; 2 a port is taken or an option wrong.
    """
    options = _options(arguments)
    try:
        return asyncio.run(until_signalled(_up(options), lambda: _say("\nstopping everything (Ctrl-C again kills it)")))
    except Stopped:
        _say("stopped; nothing is left running")
        return 0
    except PortTakenError as error:
        _complain(f"{error}\nnothing was started: stop what uses the port, then try again")
        return 2
    except StackError as error:
        _complain(f"{error}\neverything else was stopped too")
        return 1


async def _up(options: Options) -> int:
    _say("starting the stack (a few seconds) ...")
    async with Stack(home=HOME, ports=Ports(), options=options, announce=_announce) as stack:
        gateway = stack.urls["gateway"]
        _say(f"\nready. The logs are in {_short(HOME)}/*.log. Ctrl-C stops everything.")
        _say(f"  curl {gateway}/health")
        _say(f"  open {gateway}/docs")
        raise await stack.first_death()


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="make up", description=main.__doc__)
    parser.add_argument("--workers", type=int, default=1, help="how many worker processes (default 1)")
    parser.add_argument("--profile", default="realistic", help="the fakes' latency and capacity (default realistic)")
    parser.add_argument("--time-scale", type=float, default=0.08, help="multiplies the fakes' times (default 0.08)")
    chosen = parser.parse_args(arguments)
    if chosen.workers < 1:
        parser.error("--workers must be 1 or more")
    return Options(workers=chosen.workers, profile=chosen.profile, time_scale=chosen.time_scale)


def _announce(child: Child) -> None:
    for label, address in child.program.addresses.items():
        _say(f"  {label:26} {address}")


def _short(path: Path) -> str:
    return os.path.relpath(path)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's own terminal


def _complain(words: str) -> None:
    print("\n".join(f"make up: {line}" for line in words.splitlines()), file=sys.stderr)  # noqa: T201 - as above
