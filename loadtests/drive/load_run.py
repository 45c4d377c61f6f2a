"""One load run: Locust in processes of its own, the system watched meanwhile, a summary at the end."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from fakes.kit.client import AsyncControl, ControlError
from loadtests.drive.swarm import RunError, generate
from loadtests.measure.observed import summarize_waits
from loadtests.measure.sampling import Sample, SamplingError, sampling
from loadtests.measure.summary import read_records, summarize
from loadtests.measure.waits import TemporalError, connect, read_waits
from loadtests.plan import Plan

__all__ = ["Interrupted", "ProgressLine", "RunError", "Target", "run"]

MOST_HISTORIES = 400


class Interrupted(asyncio.CancelledError):
    """A run was cancelled, and its load generators had time to write down what they had: here is the summary."""

    def __init__(self, summary: dict[str, Any]) -> None:
        super().__init__()
        self.summary = summary


@dataclass(frozen=True)
class Target:
    """What is loaded, and what of it can be looked at.

    Attributes:
        host: the gateway's address.
        fakes: control planes by service.
        pids: processes by name.
        temporal: the variables by which Temporal's SDK connects; None: its histories are not read.
        temporal_ui: the address of Temporal's web page, for links.
    """

    host: str
    fakes: Mapping[str, str] = field(default_factory=dict)
    pids: Mapping[str, int] = field(default_factory=dict)
    temporal: Mapping[str, str] | None = None
    temporal_ui: str = ""


Progress = Callable[[dict[str, Any], Sequence[Sample]], None]


async def run(target: Target, plan: Plan, home: Path, progress: Progress) -> dict[str, Any]:
    """Make a run and return its summary. `progress` is called with each report of the load generators.

    Raises:
        Interrupted: it was cancelled while load was generated.
        RunError: Locust ended before its time, or did not end; a fake or Temporal does not answer, or nobody
            watched any more.
    """
    plan = plan.model_copy(
        update={"host": target.host, "fakes": dict(target.fakes), "records": (home / "records.jsonl").resolve()}
    )
    await _look_at_fakes(target)
    client = await _connect(target)
    try:
        async with sampling(target.fakes, target.pids) as samples:
            try:
                await generate(plan, home, lambda report: progress(report, samples))
            except asyncio.CancelledError:
                with suppress(ValueError):  # nothing was generated yet
                    raise Interrupted(await _sum_up(target, plan, samples, client)) from None
                raise
    except SamplingError as error:
        raise RunError(str(error)) from error
    try:
        return await _sum_up(target, plan, samples, client)
    except ValueError as error:
        raise RunError(str(error)) from None


async def _sum_up(target: Target, plan: Plan, samples: Sequence[Sample], client: Client | None) -> dict[str, Any]:
    outcome = read_records(plan.records, plan.run)
    ledgers = {}
    for service, url in target.fakes.items():
        with suppress(ControlError):
            async with AsyncControl(url, timeout=60) as control:
                ledgers[service] = [call for call in await control.ledger() if call["at"] >= outcome.begun]
    found = summarize(plan, outcome, samples, ledgers)
    if client is not None:
        found["temporal"] = {"namespace": client.namespace, "ui": target.temporal_ui}
        ids = [record.workflow_id for record in outcome.records if record.accepted and record.ended]
        step = max(1, len(ids) // MOST_HISTORIES)
        found["waits"] = summarize_waits(await read_waits(client, ids[::step]), len(ids))
    return found


async def _connect(target: Target) -> Client | None:
    if target.temporal is None:
        return None
    try:
        return await connect(target.temporal)
    except TemporalError as error:  # better now than after the load
        raise RunError(f"the waits cannot be read: {error}") from None


async def _look_at_fakes(target: Target) -> None:
    for service, url in target.fakes.items():
        async with AsyncControl(url) as control:
            try:
                await control.health()
            except ControlError as error:
                raise RunError(f"the fake {service} cannot be watched: {error}") from None


class ProgressLine:
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
