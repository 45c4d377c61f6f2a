"""Run the comparison and print its table. The last line is the figure; exit code 1 when a goal is missed."""

import argparse
import json
import math
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.comparisons.fakes.latency import percentile_ms
from loadtests.comparisons.fakes.peers import MODULES, NODE, PEERS, Server, running

CONCURRENCY = 32
SLOW_CONCURRENCY = 100
SLOW_P99_MS = 520
MEMORY_GROWTH_MB = 10
"""What as many calls again may add once the ledger is full."""


@dataclass
class Measured:
    """What was measured of one server."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)
    megabytes: float = 0

    @property
    def rate(self) -> float:
        """The median of the rounds, in requests a second."""
        return statistics.median(self.rates)

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
    """Return how much is measured. The defaults take about four minutes on an idle machine."""
    parser = argparse.ArgumentParser(prog="make bench-fakes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    # without it the first seconds of the Java machine's compiler would be measured
    parser.add_argument("--warm-up", type=int, default=20_000, help="calls before the first round")
    parser.add_argument("--calls", type=int, default=100_000, help="after which memory is looked at")
    return parser.parse_args()


def main() -> int:
    """Measure, print, judge."""
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    measured = {name: Measured() for name in PEERS}
    with ExitStack() as stack:
        servers = []
        for name in PEERS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers.append(stack.enter_context(running(name, folder)))
        for server in servers:
            load(f"{server.url}/plain", "-c", str(CONCURRENCY), "-a", str(chosen.warm_up))
        for _ in range(chosen.rounds):  # in turn, so that a busy moment of the machine hits all
            for server in servers:
                _throughput(server, measured[server.name], chosen.seconds)
            for server in servers:
                _tail(server, measured[server.name], chosen.seconds)
        for server in servers:
            measured[server.name].megabytes = server.megabytes()
        growth = _growth(servers[0], chosen.calls)
    return _judge(measured, growth, chosen.calls)


def _throughput(server: Server, measured: Measured, seconds: int) -> None:
    before = server.cpu_seconds()
    told = load(f"{server.url}/plain", "-c", str(CONCURRENCY), "-d", str(seconds))
    total = told["requests"]["total"]
    measured.rates.append(total / told["duration"])
    measured.cpu_us.append((server.cpu_seconds() - before) / total * 1e6)


def _tail(server: Server, measured: Measured, seconds: int) -> None:
    rounds = seconds * 2  # an answer takes half a second
    with suppress(RuntimeError):  # mountebank keeps no connection open: it has no such figure
        found = percentile_ms(f"{server.url}/slow", connections=SLOW_CONCURRENCY, rounds=rounds, share=0.99)
        measured.p99s_ms.append(found)


def _growth(server: Server, calls: int) -> float:
    load(f"{server.url}/plain", "-c", str(CONCURRENCY), "-a", str(calls))
    full = server.megabytes()
    load(f"{server.url}/plain", "-c", str(CONCURRENCY), "-a", str(calls))
    return server.megabytes() - full


def _judge(measured: dict[str, Measured], growth: float, calls: int) -> int:
    print(f"{'':12} {'requests/s':>12} {'CPU/request':>12} {'p99 of 500 ms':>14} {'memory':>9}")
    for name, each in measured.items():
        cpu = statistics.median(each.cpu_us)
        row = f"{name:12} {each.rate:12.0f} {cpu:9.0f} us {each.p99_ms:11.0f} ms {each.megabytes:6.0f} MB"
        print(row)
    own, *peers = measured.values()
    ratio = own.rate / max(peer.rate for peer in peers)
    print(f"memory of this kit after {calls} calls more, with its ledger full: {growth:+.1f} MB")
    goals = {
        "requests/s at least those of the fastest peer": ratio >= 1,
        f"p99 of the slow answer under {SLOW_P99_MS} ms": own.p99_ms < SLOW_P99_MS,
        "memory bounded": growth < MEMORY_GROWTH_MB,
    }
    for goal, met in goals.items():
        print(f"{'met   ' if met else 'MISSED'} {goal}")
    print(f"bench-fakes: {ratio:.2f} times the requests/s of the fastest peer, p99 {own.p99_ms:.0f} ms")
    return 0 if all(goals.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
