"""Try-ons at a steady rate for minutes, in real processes; what memory and event loops do meanwhile."""

import asyncio
import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Any

import httpx
import psutil
import structlog

from app.names import workflow_id_for
from app.process.background import beside
from fakes.kit.client import AsyncControl
from fakes.registry import SERVICES
from scenarios.chaos.site import ANOTHER_A100, another_a100, two_a100s, whole_body
from scenarios.gateway_client import GatewayClient, RefusedError
from scenarios.histories import export
from scenarios.processes.child import StackError
from scenarios.processes.ports import reserve_port
from scenarios.processes.signals import until_signalled
from scenarios.soak.faults import Called, End, implied_end, random_faults, unlucky
from scenarios.soak.plot import plot
from scenarios.stack.ports import Ports
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

TIME_SCALE = 0.05
"""A generate of 25 s takes 1.25 s."""

SAMPLE_S = 2.0
SAID_EVERY = 15
"""So many samples are between two lines of progress."""
LOOK_S = 5.0
"""Between two looks at a try-on: seldom, for the soak is about what runs, not about who asks."""

LAG_EVERY_S = 10.0
LAG_LIMIT_MS = 100.0
"""The limit of each 10 s' 99th percentile, the worst of them included."""
LAG_LINES_MISSING = 3
"""So many of the lines may be missing: the first holds the imports, and the last may not be full."""
GAIN_LIMIT_MB = 8.0
"""What a process's memory may gain over the second half, by the line that fits best."""

WATCHED = ("gateway", "worker")
DRAIN_S = 180.0
LOOKS_LEAST = 0.5
"""Of the looks at memory that there is time for, so many must have been made: a loaded machine is late, not blind."""
LAST_LOOK_S = 30.0
"""The last look must not be longer ago than this when the soak ends."""


@dataclass
class Soak:
    """What was seen: memory in MB by second for each process, outcomes, and what went wrong."""

    workflows: int
    seconds: float = 0.0
    """How long it was watched."""
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {name: [] for name in WATCHED})
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    unanswered: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lags: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def soak(workflows: int, minutes: float, seed: int, out: Path, histories: Path | None = None) -> int:
    """Soak and report; 0 when every try-on ended as its faults imply and nothing grew."""
    # What a task beside the soak dies of is the command's own last word, in one line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        try:
            seen = asyncio.run(until_signalled(_run(Path(home), workflows, minutes * 60, seed, histories)))
        except StackError as error:
            _say(f"soak: {error}")
            return 1
    out.mkdir(parents=True, exist_ok=True)
    return report(seen, out)


async def _run(home: Path, workflows: int, seconds: float, seed: int, histories: Path | None) -> Soak:
    ports, spare = Ports.free(), reserve_port()
    everywhere = {"LOG_FORMAT": "json", "LOOP_LAG_LOG_S": f"{LAG_EVERY_S:g}", **two_a100s(ports, spare)}
    extra = {"*": everywhere, "worker": {"A100_MAX_CONCURRENT": "8"}}
    options = Options(profile="instant", time_scale=TIME_SCALE, seed=seed, temporal_ui=False, extra=extra)
    soak = Soak(workflows)
    async with AsyncExitStack() as closing:
        stack = await closing.enter_async_context(Stack(home=home, ports=ports, options=options))
        gateway = await closing.enter_async_context(GatewayClient(stack.urls["gateway"]))
        another = await closing.enter_async_context(another_a100(stack, spare))
        controls = {name: AsyncControl(stack.urls[name]) for name in SERVICES} | {ANOTHER_A100: AsyncControl(another)}
        for name in SERVICES:
            for number, (operation, fault, share) in enumerate(random_faults(name)):
                rule = {"id": f"chance-{number}", "service": name, "operation": operation, "p": share, "fault": fault}
                await controls[name].add(rule)
        began = time.monotonic()
        async with beside(_watch(stack, soak), "watch of the soak"), asyncio.TaskGroup() as group:
            for number in range(workflows):
                await asyncio.sleep(max(0.0, began + number * seconds / workflows - time.monotonic()))
                key = f"soak:{seed}:{number}"
                if (lasting := unlucky(number)) is not None:
                    service, operation, fault = lasting
                    rule = {"service": service, "operation": operation, "key": workflow_id_for(key), "fault": fault}
                    await controls[service].add({"id": key, **rule})
                group.create_task(_one(gateway, controls, key, soak))
        soak.seconds = time.monotonic() - began
        if histories:
            await export(await stack.temporal(), soak.accepted, histories)
        for control in controls.values():
            await control.close()
        soak.lags = {name: _lags(stack[name].log) for name in WATCHED}
    return soak


async def _one(gateway: GatewayClient, controls: Mapping[str, AsyncControl], key: str, soak: Soak) -> None:
    def unanswered(status: int) -> None:
        soak.unanswered[status] += 1  # 503: the gateway says to ask again

    try:
        found = await gateway.start(whole_body(), key=key)
        soak.accepted.append(found)
        view = await gateway.follow(found, every_s=LOOK_S, wait_s=0, limit_s=DRAIN_S, unanswered=unanswered)
    except RefusedError as error:
        soak.outcomes[f"refused {error.status_code}"] += 1
        soak.wrong.append(f"{key} was refused with {error.status_code}: {error}")
        return
    except (TimeoutError, httpx.TransportError) as error:
        soak.wrong.append(f"{key}: {str(error) or type(error).__name__}")
        return
    failure = view.get("error") or {}
    end = End(view["status"], failure.get("code"), failure.get("failedStep"))
    soak.outcomes[" ".join(filter(None, (end.status, end.code)))] += 1
    calls = await _calls(controls, found)
    soak.calls += len(calls)
    soak.faults.update(fault for call in calls for fault in call.faults)
    if (implied := implied_end(calls)) != end:
        soak.wrong.append(f"{found} ended as {end}, its calls imply {implied}")


async def _calls(controls: Mapping[str, AsyncControl], workflow_id: str) -> list[Called]:
    """Return the calls of one try-on in the order in which they were made."""
    ledgers = [await control.ledger(workflow_id) for control in controls.values()]
    calls = sorted((call for ledger in ledgers for call in ledger), key=lambda call: call["at"])
    return [
        Called(
            call["service"],
            call["operation"],
            call["attempt"] or 0,
            tuple(fault for fault in (call["fault"], *call.get("also_faults", ())) if fault),
        )
        for call in calls
    ]


async def _watch(stack: Stack, soak: Soak) -> None:
    began = time.monotonic()
    processes = {name: psutil.Process(stack[name].pid) for name in WATCHED}
    while True:
        at = time.monotonic() - began
        for name, process in processes.items():
            try:
                soak.memory[name].append((at, process.memory_info().rss / 1e6))
            except psutil.NoSuchProcess:
                raise StackError(stack[name].story("ended in the middle of the soak")) from None
        if len(soak.memory[WATCHED[0]]) % SAID_EVERY == 0:
            memory = ", ".join(f"{name} {samples[-1][1]:.0f} MB" for name, samples in soak.memory.items())
            ended = sum(soak.outcomes.values())
            _say(f"{at:5.0f} s  {ended} of {soak.workflows} try-ons ended, {len(soak.wrong)} wrong; {memory}")
        await asyncio.sleep(SAMPLE_S)


def _lags(log: Path) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"event loop lag"' in line)
    return list(lines)[1:]  # the first holds the imports


def second_half(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """Return minutes of the second half, and the MB that it gained, by the line that fits best."""
    half = samples[len(samples) // 2 :]
    if len(half) < 2:
        return 0.0, 0.0
    slope, _ = linear_regression(*zip(*half, strict=True))
    span = half[-1][0] - half[0][0]
    return span / 60, slope * span


def report(soak: Soak, out: Path) -> int:
    """Say what was seen, plot it, and return 0 when nothing was wrong."""
    for name in WATCHED:
        soak.wrong += _judged(name, soak)
    plot(soak.memory, _lag_series(soak), LAG_LIMIT_MS, out / "soak.png")
    ended = sum(soak.outcomes.values())
    if ended < soak.workflows:
        soak.wrong.append(f"{soak.workflows - ended} of {soak.workflows} try-ons have no end")
    if not soak.faults:
        soak.wrong.append("no fault happened")
    for line in soak.wrong[:20]:
        _say(f"wrong: {line}")
    _say(f"{ended} try-ons: {dict(soak.outcomes.most_common())}")
    hit = soak.faults.total()
    _say(f"{hit} faults in {soak.calls} calls: {dict(soak.faults.most_common())}")
    _say(f"load of the machine {os.getloadavg()[1]:.1f}; {out / 'soak.png'}")
    _say(f"{len(soak.wrong)} wrong; status requests that had to be sent again, by status: {dict(soak.unanswered)}")
    return 1 if soak.wrong else 0


def _judged(name: str, soak: Soak) -> Iterator[str]:
    """Say what memory and event loop of one process did, and yield what is wrong with it."""
    samples, lags = soak.memory[name], sorted(line["p99_ms"] for line in soak.lags.get(name, ()))
    minutes, gain = second_half(samples)
    wanted = int(soak.seconds / LAG_EVERY_S) - LAG_LINES_MISSING
    if len(samples) < max(2, LOOKS_LEAST * soak.seconds / SAMPLE_S) or soak.seconds - samples[-1][0] > LAST_LOOK_S:
        last = f"the last after {samples[-1][0]:.0f} s" if samples else "never"
        yield f"the memory of {name} was looked at {len(samples)} times in {soak.seconds:.0f} s, {last}"
    if len(lags) < max(1, wanted):
        yield f"{name} said {len(lags)} times how late its event loop is, not {max(1, wanted)} times"
    else:
        _say(f"{name}: loop lag p99 {lags[len(lags) // 2]:g} ms in the median 10 s, {lags[-1]:g} ms in the worst")
    if samples:
        slope = gain / minutes if minutes else 0.0
        peak = max(memory for _, memory in samples)
        _say(f"{name}: peak {peak:.0f} MB; second half {gain:+.1f} MB, {slope:+.2f} MB a minute")
    if gain > GAIN_LIMIT_MB:
        yield f"{name} gained {gain:.0f} MB over the second half"
    if lags and lags[-1] > LAG_LIMIT_MS:
        yield f"{name}'s event loop was late by {lags[-1]:g} ms at p99 in its worst {LAG_EVERY_S:g} s"


def _lag_series(soak: Soak) -> dict[str, list[tuple[float, float]]]:
    """Return seconds and p99 for each process; the first line, which holds the imports, is not among them."""
    return {
        name: [(LAG_EVERY_S * (number + 2), line["p99_ms"]) for number, line in enumerate(lines)]
        for name, lines in soak.lags.items()
    }


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own voice
