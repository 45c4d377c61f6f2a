"""Try-ons at a steady rate for minutes, in real processes; what memory and event loops do meanwhile."""

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from fakes.kit.client import AsyncControl
from scenarios.chaos.site import ENDED, POINTS, STROKES, photo
from scenarios.engine.programs import FAKES, Options
from scenarios.engine.stack import Stack
from scenarios.soak.faults import FAULT, SHARE, Call, implied_status

TIME_SCALE = 0.05
"""A generate of 25 s takes 1.25 s."""

SAMPLE_S = 2.0
SAID_EVERY = 15
"""So many samples are between two lines of progress."""
LOOK_S = 5.0
"""Between two looks at a try-on: seldom, for the soak is about what runs, not about who asks."""

LAG_EVERY_S = 10.0
LAG_LIMIT_MS = 100.0
SLOPE_LIMIT_MB = 20.0
"""What a process's memory may grow by over the second half, by the line that fits best."""

WATCHED = ("gateway", "worker")
DRAIN_S = 180.0


@dataclass
class Soak:
    """What was seen: memory in MB by second for each process, outcomes, and what went wrong."""

    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {name: [] for name in WATCHED})
    outcomes: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lags: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def soak(workflows: int, minutes: float, seed: int, out: Path) -> int:
    """Soak and report; 0 when every try-on ended as its faults imply and nothing grew."""
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        seen = asyncio.run(_run(Path(home), workflows, minutes * 60, seed))
    out.mkdir(parents=True, exist_ok=True)
    return _report(seen, out)


async def _run(home: Path, workflows: int, seconds: float, seed: int) -> Soak:
    extra = {"*": {"LOG_FORMAT": "json", "LOOP_LAG_LOG_S": f"{LAG_EVERY_S:g}"}, "worker": {"A100_MAX_CONCURRENT": "8"}}
    options = Options(profile="instant", time_scale=TIME_SCALE, seed=seed, temporal_ui=False, extra=extra)
    soak = Soak()
    async with Stack(home=home, options=options) as stack, httpx.AsyncClient(timeout=60, trust_env=False) as http:
        controls = {name: AsyncControl(stack.urls[name]) for name in FAKES}
        for control in controls.values():
            await control.add({"id": "five-percent", "p": SHARE, "fault": FAULT})
        watch = asyncio.create_task(_watch(stack, soak, workflows))
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            for number in range(workflows):
                await asyncio.sleep(max(0.0, began + number * seconds / workflows - time.monotonic()))
                group.create_task(_one(http, stack.urls["gateway"], controls, f"soak:{seed}:{number}", soak))
        watch.cancel()
        for control in controls.values():
            await control.close()
        soak.lags = {name: _lags(stack[name].log) for name in WATCHED}
    return soak


async def _one(http: httpx.AsyncClient, gateway: str, controls: dict[str, AsyncControl], key: str, soak: Soak) -> None:
    body = {"originalImageBase64": photo(), "maskPoints": POINTS, "brushStrokes": STROKES}
    try:
        answer = await http.post(f"{gateway}/workflow/start", json=body, headers={"Idempotency-Key": key})
        if answer.status_code != httpx.codes.ACCEPTED:
            soak.outcomes[f"refused {answer.status_code}"] += 1
            return
        found = answer.json()["workflowId"]
        limit = time.monotonic() + DRAIN_S
        while (view := await _look(http, f"{gateway}/workflow/{found}", soak))["status"] not in ENDED:
            if time.monotonic() > limit:
                soak.wrong.append(f"{found} has not ended after {DRAIN_S:g} s")
                return
    except httpx.TransportError as error:
        soak.wrong.append(f"{key}: {type(error).__name__}")
        return
    failure = view.get("error") or {}
    soak.outcomes[" ".join(filter(None, (view["status"], failure.get("code"))))] += 1
    ledgers = {service: await control.ledger(found) for service, control in controls.items()}
    implied = implied_status(
        Call(service, call["operation"], call["attempt"] or 0, bool(call["fault"]))
        for service, calls in ledgers.items()
        for call in calls
    )
    if implied != view["status"]:
        soak.wrong.append(f"{found} is {view['status']} {failure}, its faults imply {implied}")


async def _look(http: httpx.AsyncClient, url: str, soak: Soak) -> dict[str, Any]:
    await asyncio.sleep(LOOK_S)
    answer = await http.get(url)
    if answer.status_code == httpx.codes.OK:
        return dict(answer.json())
    soak.unanswered[answer.status_code] += 1  # 503: the gateway says to ask again
    return {"status": "unknown"}


async def _watch(stack: Stack, soak: Soak, workflows: int) -> None:
    began = time.monotonic()
    processes = {name: psutil.Process(stack[name].pid) for name in WATCHED}
    while True:
        at = time.monotonic() - began
        for name, process in processes.items():
            soak.memory[name].append((at, process.memory_info().rss / 1e6))
        if len(soak.memory[WATCHED[0]]) % SAID_EVERY == 0:
            memory = ", ".join(f"{name} {samples[-1][1]:.0f} MB" for name, samples in soak.memory.items())
            ended = sum(soak.outcomes.values())
            _say(f"{at:5.0f} s  {ended} of {workflows} try-ons ended, {len(soak.wrong)} wrong; {memory}")
        await asyncio.sleep(SAMPLE_S)


def _lags(log: Path) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in log.read_text().splitlines() if '"event loop lag"' in line)
    return list(lines)[1:]  # the first holds the imports


def _slope(samples: list[tuple[float, float]]) -> float:
    """Return MB gained over the second half, by the line that fits best."""
    half = samples[len(samples) // 2 :]
    count = len(half)
    if count < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in half) / count, sum(y for _, y in half) / count
    over = sum((x - mean_x) * (y - mean_y) for x, y in half)
    return over / sum((x - mean_x) ** 2 for x, _ in half) * (half[-1][0] - half[0][0])


def _report(soak: Soak, out: Path) -> int:
    for name in WATCHED:
        slope, peak = _slope(soak.memory[name]), max(memory for _, memory in soak.memory[name])
        lags = sorted(line["p99_ms"] for line in soak.lags[name]) or [0.0]
        median, worst = lags[len(lags) // 2], lags[-1]
        _say(f"{name}: peak {peak:.0f} MB, second half {slope:+.1f} MB; loop lag p99 {median:g} ms, worst {worst:g} ms")
        if slope > SLOPE_LIMIT_MB:
            soak.wrong.append(f"{name} grew by {slope:.0f} MB over the second half")
        if median > LAG_LIMIT_MS:
            soak.wrong.append(f"{name}'s event loop was late by {median:g} ms at p99 in its median 10 s")
    _plot(soak, out / "soak.png")
    for line in soak.wrong[:20]:
        _say(f"wrong: {line}")
    ended = sum(soak.outcomes.values())
    load = os.getloadavg()[1]
    _say(f"{ended} try-ons: {dict(soak.outcomes.most_common())}; load of the machine {load:.1f}; {out / 'soak.png'}")
    _say(f"{len(soak.wrong)} wrong; status requests that had to be sent again, by status: {dict(soak.unanswered)}")
    return 1 if soak.wrong else 0


def _plot(soak: Soak, path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - a second to import, for the end alone

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after its backend is chosen

    figure, (memory, lag) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    for name in WATCHED:
        memory.plot(*zip(*soak.memory[name], strict=True), label=name)
        late = [line["p99_ms"] for line in soak.lags[name]]
        lag.plot([LAG_EVERY_S * (number + 2) for number in range(len(late))], late, label=name)
    memory.set(title="Memory", ylabel="MB", ylim=(0, None))
    lag.axhline(LAG_LIMIT_MS, color="grey", linestyle=":", label="limit")
    lag.set(title="Event loop lag, 99th percentile of each 10 s", ylabel="ms", xlabel="seconds", ylim=(0, None))
    for axes in (memory, lag):
        axes.legend(loc="lower right")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own voice
