"""Run the comparison and print its table. The last line is the figure; exit code 1 when a goal is missed."""

import argparse
import asyncio
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from loadtests.comparisons.fakes.peers import (
    BARE,
    KIT,
    MODULES,
    NODE,
    PEERS,
    STATEFUL,
    STUBS,
    WRAPPED,
    Server,
    running,
)
from loadtests.measure.connections import percentile_ms
from scenarios.processes.child import StackError
from scenarios.processes.signals import Stopped, until_signalled

CONCURRENCY = 32
SLOW_CONCURRENCY = 100
SLOW_P99_MS = 520
LEAST_OF_BARE = 0.8
MOST_CPU_OF_STATEFUL = 0.5
MEMORY_GROWTH_MB = 10
"""What as many calls again may add once the ledger is full."""
MEASURED = ("poll", "submit", "health")
ASKED = json.dumps({"image_uri": "azure://jewelry-uploads/a.jpg", "points": [[0.5, 0.6]], "labels": [1]})


@dataclass
class Measured:
    """What was measured of one server, of each round."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURED})
    cpu_us: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURED})
    p99s_ms: list[float] = field(default_factory=list)
    megabytes: float = 0

    def rate(self, name: str) -> float:
        """The median of the rounds, in requests a second."""
        return statistics.median(self.rates[name])

    def cpu(self, name: str) -> float:
        """The median of the rounds, in microseconds a request."""
        return statistics.median(self.cpu_us[name])

    @property
    def p99_ms(self) -> float:
        """The median of the rounds, in milliseconds; not a number for a server that keeps no connection open."""
        return statistics.median(self.p99s_ms) if self.p99s_ms else math.nan


def load(url: str, *words: str) -> dict[str, Any]:
    """Send load with autocannon and return what it measured.

    Raises:
        RuntimeError: an answer was no 200.
    """
    program = str(MODULES / "autocannon" / "autocannon.js")
    run = subprocess.run(  # noqa: S603 - own words
        [NODE, program, "--json", "--no-progress", *words, url], check=True, capture_output=True, text=True
    )
    told: dict[str, Any] = json.loads(run.stdout)
    if told["non2xx"] or told["errors"]:
        raise RuntimeError(f"{url}: {told['non2xx']} answers were no 200, {told['errors']} connections broke")
    return told


def options() -> argparse.Namespace:
    """Return how much is measured. The defaults take about ten minutes on an idle machine."""
    parser = argparse.ArgumentParser(prog="make bench-fakes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    # without it the first seconds of the Java machine's compiler would be measured
    parser.add_argument("--warm-up", type=int, default=10_000, help="calls of each kind before the first round")
    parser.add_argument("--calls", type=int, default=100_000, help="after which memory is looked at")
    return parser.parse_args()


def main() -> int:
    """Measure, print, judge."""
    chosen = options()
    try:
        return asyncio.run(until_signalled(_main(chosen), lambda: print("\nstopping everything", file=sys.stderr)))
    except Stopped as stopped:
        return stopped.exit_code
    except (StackError, RuntimeError) as error:
        print(f"bench-fakes: {error}", file=sys.stderr)
        return 1


async def _main(chosen: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-fakes-") as home:
        async with running(PEERS, Path(home)) as servers:
            measured, growth = await asyncio.to_thread(_measure, servers, chosen)
    return _judge(measured, growth, chosen.calls)


def _measure(servers: Sequence[Server], chosen: argparse.Namespace) -> tuple[dict[str, Measured], float]:
    """Measure all in turns. Return what was found, and the growth of this kit's memory in MB."""
    measured = {name: Measured() for name in PEERS}
    for server in servers:
        _note(f"warming up {server.name}")
        for name in MEASURED:
            load(*_request(server, name), "-c", str(CONCURRENCY), "-a", str(chosen.warm_up))
    for number in range(1, chosen.rounds + 1):  # in turn, so that a busy moment of the machine hits all
        for name in MEASURED:
            _note(f"round {number} of {chosen.rounds}: {name}")
            for server in servers:
                _throughput(server, name, measured[server.name], chosen.seconds)
        _note(f"round {number} of {chosen.rounds}: the slow answer")
        for server in servers:
            _tail(server, measured[server.name], chosen.seconds)
    for server in servers:
        measured[server.name].megabytes = server.megabytes()
    _note(f"the memory of this kit over {2 * chosen.calls} calls")
    return measured, _growth(servers[0], chosen.calls)


def _request(server: Server, name: str) -> list[str]:
    """Return how a kind of call is made: its address, and words for the load generator."""
    method, path, _, _ = STUBS[name]
    headers = ["-H", "X-Workflow-Id=w"]
    if name == "submit":
        return [f"{server.url}{path}", "-m", method, *headers, "-H", "Content-Type=application/json", "-b", ASKED]
    if name == "poll":  # of a job that it has accepted just now: the kit keeps the newest 20,000
        body, json_type = ASKED.encode(), {"Content-Type": "application/json"}
        path = f"/jobs/{httpx.post(f'{server.url}/jobs', content=body, headers=json_type).json()['job_id']}"
    return [f"{server.url}{path}", *headers]


def _throughput(server: Server, name: str, measured: Measured, seconds: int) -> None:
    request = _request(server, name)
    before = server.cpu_seconds()
    told = load(*request, "-c", str(CONCURRENCY), "-d", str(seconds))
    total = told["requests"]["total"]
    measured.rates[name].append(total / told["duration"])
    measured.cpu_us[name].append((server.cpu_seconds() - before) / total * 1e6)


def _tail(server: Server, measured: Measured, seconds: int) -> None:
    rounds = seconds * 2  # an answer takes half a second
    with suppress(RuntimeError):  # mountebank keeps no connection open: it has no such figure
        found = percentile_ms(f"{server.url}/slow", connections=SLOW_CONCURRENCY, rounds=rounds, share=0.99)
        measured.p99s_ms.append(found)


def _growth(server: Server, calls: int) -> float:
    request = _request(server, "poll")
    load(*request, "-c", str(CONCURRENCY), "-a", str(calls))
    full = server.megabytes()
    load(*request, "-c", str(CONCURRENCY), "-a", str(calls))
    return server.megabytes() - full


def _judge(measured: dict[str, Measured], growth: float, calls: int) -> int:
    print("| requests/s at 32 connections, CPU a request |", " | ".join(MEASURED), "| p99 of 500 ms | memory |")
    print("| --- " * (len(MEASURED) + 3) + "|")
    for name, each in measured.items():
        cells = [f"{each.rate(kind):.0f}, {each.cpu(kind):.0f} us" for kind in MEASURED]
        print(f"| {name} |", " | ".join(cells), f"| {each.p99_ms:.0f} ms | {each.megabytes:.0f} MB |")
    own, bare, wrapped, stateful = (measured[name] for name in (KIT, BARE, WRAPPED, STATEFUL))
    # By the CPU of a request: each serves with one core, and other programs take from a rate, not from it.
    ratios = {kind: bare.cpu(kind) / own.cpu(kind) for kind in MEASURED}
    kept = {kind: bare.cpu(kind) / wrapped.cpu(kind) for kind in MEASURED}
    cpu = {kind: own.cpu(kind) / stateful.cpu(kind) for kind in MEASURED}
    print(f"memory of this kit after {calls} calls more, with its ledger full: {growth:+.1f} MB")
    goals = {
        f"at least {LEAST_OF_BARE} of bare FastAPI{_shown(ratios)}": min(ratios.values()) >= LEAST_OF_BARE,
        f"an application wrapped keeps as much{_shown(kept)}": min(kept.values()) >= LEAST_OF_BARE,
        f"at most {MOST_CPU_OF_STATEFUL} of the CPU of a stateful stub of WireMock{_shown(cpu)}": max(cpu.values())
        <= MOST_CPU_OF_STATEFUL,
        f"p99 of the slow answer under {SLOW_P99_MS} ms": own.p99_ms < SLOW_P99_MS,
        "memory bounded": growth < MEMORY_GROWTH_MB,
    }
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'} {goal}")
    print(f"bench-fakes: a poll is {ratios['poll']:.2f} of bare FastAPI, p99 {own.p99_ms:.0f} ms")
    return 0 if all(goals.values()) else 1


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _shown(ratios: dict[str, float]) -> str:
    return ": " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())


if __name__ == "__main__":
    sys.exit(main())
