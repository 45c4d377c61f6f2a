"""One load run: Locust in processes of its own, the system watched meanwhile, a summary at the end."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from fakes.kit.client import AsyncControl, ControlError
from loadtests.histories import read_waits
from loadtests.plan import VARIABLE, Plan
from loadtests.sampling import Sample, sampling
from loadtests.summary import read_records, summarize
from scenarios.engine.ports import HOST, reserve_port

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
MOST_HISTORIES = 400
GRACE_S = 60
"""Beyond arrivals and drain: for Locust to draw its photos, start and leave."""


class RunError(Exception):
    """A run could not be made, or ended before its time; the message says what to do."""


@dataclass(frozen=True)
class Target:
    """What is loaded, and what of it can be looked at: processes by name, fakes by service, Temporal's address."""

    host: str
    fakes: Mapping[str, str] = field(default_factory=dict)
    pids: Mapping[str, int] = field(default_factory=dict)
    temporal: str | None = None


Progress = Callable[[dict[str, Any], Sequence[Sample]], None]


async def run(target: Target, plan: Plan, home: Path, progress: Progress) -> dict[str, Any]:
    """Make a run and return its summary. `progress` is called with each report of the load generators.

    Raises:
        RunError: Locust ended before its time, or did not end.
    """
    plan = plan.model_copy(
        update={"host": target.host, "fakes": dict(target.fakes), "records": (home / "records.jsonl").resolve()}
    )
    await _forget_earlier_calls(target)
    async with sampling(target.fakes, target.pids) as samples:
        await _locust(plan, home, lambda report: progress(report, samples))
    outcome = read_records(plan.records)
    ledgers = {}
    for service, url in target.fakes.items():
        with suppress(ControlError):
            async with AsyncControl(url, timeout=60) as control:
                ledgers[service] = [call for call in await control.ledger() if call["at"] >= outcome.begun]
    waits = {}
    if target.temporal:
        client = await Client.connect(target.temporal)
        ids = [record.workflow_id for record in outcome.records if record.outcome == "completed"]
        step = max(1, len(ids) // MOST_HISTORIES)
        waits = await read_waits(client, ids[::step])
    return summarize(plan, outcome, samples, waits, ledgers)


async def _forget_earlier_calls(target: Target) -> None:
    for service, url in target.fakes.items():
        async with AsyncControl(url) as control:
            try:
                await control.health()
            except ControlError as error:
                raise RunError(f"the fake {service} cannot be watched: {error}") from None


async def _locust(plan: Plan, home: Path, take: Callable[[dict[str, Any]], None]) -> None:
    """Run Locust until it has generated the load; the reports of its collector go to `take`."""
    words = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary"]
    words += ["-u", str(plan.generators), "-r", str(max(1, plan.generators)), "--loglevel", "WARNING"]
    environment = os.environ | {VARIABLE: plan.model_dump_json(), "PYTHONUNBUFFERED": "1"}
    limit = plan.seconds + plan.drain_s + GRACE_S
    children: list[asyncio.subprocess.Process] = []

    async def start(name: str, *more: str, piped: bool = False) -> asyncio.subprocess.Process:
        with (home / f"{name}.log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *words, *more, env=environment, stdout=asyncio.subprocess.PIPE if piped else log, stderr=log
            )
        children.append(child)
        return child

    try:
        if plan.generators == 1:
            master = await start("locust", piped=True)
        else:
            port = str(reserve_port())
            await_all = ["--expect-workers", str(plan.generators)]
            master = await start(
                "locust", "--master", "--master-bind-host", HOST, "--master-bind-port", port, *await_all, piped=True
            )
            for number in range(plan.generators):
                await start(f"locust-{number}", "--worker", "--master-host", HOST, "--master-port", port)
        async with asyncio.timeout(limit):
            await _read_reports(master, take)
            await master.wait()
    except TimeoutError:
        raise RunError(f"Locust did not end within {limit:g} s; its log: {home / 'locust.log'}") from None
    finally:
        await _end(children)
    if not plan.records.exists():
        raise RunError(f"Locust did not start; its log: {home / 'locust.log'}:\n{_tail(home / 'locust.log')}")


async def _read_reports(master: asyncio.subprocess.Process, take: Callable[[dict[str, Any]], None]) -> None:
    assert master.stdout is not None
    async for line in master.stdout:
        if line.startswith(b'{"ended"'):
            take(json.loads(line))


async def _end(children: Sequence[asyncio.subprocess.Process]) -> None:
    waiting: list[Awaitable[object]] = []
    for child in children:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.terminate()
            waiting.append(child.wait())
    try:
        await asyncio.wait_for(asyncio.gather(*waiting), 15)
    except TimeoutError:
        for child in children:
            if child.returncode is None:
                child.kill()
                await child.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""


class Line:
    """Progress on a terminal, or one line every few seconds in a log."""

    EVERY_S = 5.0

    def __init__(self, seconds: float) -> None:
        self._began: float | None = None
        self._seconds = seconds
        self._printed = float("-inf")
        self._live = sys.stderr.isatty()

    def __call__(self, report: dict[str, Any], samples: Sequence[Sample]) -> None:
        """Show a report of the load generators beside the latest look at the fakes."""
        now = time.monotonic()
        self._began = self._began or now
        if not self._live and now - self._printed < self.EVERY_S:
            return
        self._printed = now
        words = [
            f"{now - self._began:4.0f} s of {self._seconds:.0f}",
            f"{report['ended']} ended, {report['in_flight']} running, {report['dropped']} dropped",
        ]
        if samples:
            last = samples[-1]
            words += [
                f"{name} {last.busy[name]}/{slots} +{last.waiting[name]}" for name, slots in last.slots.items() if slots
            ]
        text = "  |  ".join(words)
        print(f"\r{text}\x1b[K" if self._live else text, end="" if self._live else "\n", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line."""
        if self._live:
            print(file=sys.stderr)
