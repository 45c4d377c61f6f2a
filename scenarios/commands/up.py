"""`make up`: the whole stack in the foreground, on its documented ports, until Ctrl-C."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from fakes.presets import PRESETS, about, path_of, rules_of
from fakes.registry import BLOB
from scenarios.processes.child import Child, StackError
from scenarios.processes.ports import PortTakenError
from scenarios.processes.signals import Stopped, until_signalled
from scenarios.stack.ports import Ports
from scenarios.stack.programs import ALL_PARTS, BESIDE, BETWEEN, RUN, Options
from scenarios.stack.stack import Stack


def main(arguments: Sequence[str]) -> int:
    """Start the stack, print each address once it is healthy, and stop everything when asked.

    Exit codes: 0 stopped as asked; 1 a process did not start or ended by itself; 2 a port is taken or an option wrong.
    """
    chosen = _parse(arguments)
    try:
        return asyncio.run(until_signalled(_up(chosen), lambda: _say("\nstopping everything (Ctrl-C again kills it)")))
    except Stopped:
        _say("stopped; nothing is left running")
        return 0
    except PortTakenError as error:
        _complain(f"{error}\nnothing was started: stop what uses the port, then try again")
        return 2
    except StackError as error:
        _complain(f"{error}\neverything else was stopped too")
        return 1


async def _up(chosen: argparse.Namespace) -> int:
    rules = rules_of(chosen.faults) if chosen.faults else []
    with_proxy = any(rule.service == BLOB.name for rule in rules)
    options = Options(
        parts=ALL_PARTS | BESIDE | (BETWEEN if with_proxy else frozenset()),
        workers=chosen.workers,
        profile=chosen.profile,
        time_scale=chosen.time_scale,
        rules=str(path_of(chosen.faults)) if chosen.faults else "",
    )
    home = RUN / (
        f"up-{os.getpid()}" if chosen.free_ports else "up"
    )  # a fixed place that people remember, if it can be
    _say("starting the stack (a few seconds) ...")
    ports = Ports.free() if chosen.free_ports else Ports()
    async with Stack(home=home, ports=ports, options=options, announce=_announce) as stack:
        gateway = stack.urls["gateway"]
        if chosen.faults:
            _say(f"\nfaults {chosen.faults}: {about(chosen.faults)}")
        _say(f"\nready. The logs are in {home}/*.log. Ctrl-C stops everything.")
        _say(f"  open http://localhost:{stack.ports.console}  (the console: try it, break it, see inside)")
        _say(f"  curl {gateway}/health")
        _say(f"  open {gateway}/docs")
        raise await stack.first_death()


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make up", description="The whole stack in the foreground.")
    parser.add_argument("--workers", type=int, default=1, help="how many worker processes (default 1)")
    parser.add_argument("--profile", default="realistic", help="the fakes' latency and capacity (default realistic)")
    parser.add_argument("--time-scale", type=float, default=0.06, help="multiplies the fakes' times (default 0.06)")
    parser.add_argument("--faults", default="", choices=["", *PRESETS], help="faults by name (docs/fakes.md)")
    parser.add_argument("--free-ports", action="store_true", help="use free ports, beside another stack")
    chosen = parser.parse_args(arguments)
    if chosen.workers < 1:
        parser.error("--workers must be 1 or more")
    return chosen


def _announce(child: Child) -> None:
    for label, address in child.program.addresses.items():
        _say(f"  {label:26} {address}")


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's own terminal


def _complain(words: str) -> None:
    print("\n".join(f"make up: {line}" for line in words.splitlines()), file=sys.stderr)  # noqa: T201 - as above
