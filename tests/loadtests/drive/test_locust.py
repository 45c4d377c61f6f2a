"""Locust itself against a gateway whose times are known: what it reports must be those times."""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from app.names import IDEMPOTENCY_NAMESPACE
from fakes.kit.serve import serving
from loadtests.arrivals import arrivals
from loadtests.drive import swarm
from loadtests.drive.load_run import Interrupted, RunError, Target, run
from loadtests.drive.swarm import generate
from loadtests.measure.sampling import Sample
from loadtests.mix import load_mix
from loadtests.plan import Plan
from loadtests.record import Record
from scenarios.processes.ports import reserve_port

TAKES_S = 0.4


@dataclass
class Gateway:
    """Completes each try-on after TAKES_S; holds all starts back while it stalls."""

    stall_s: float = 0.0
    never: bool = False
    begun: float | None = None
    ends: dict[str, float] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/workflow/start")
        async def start(request: Request) -> JSONResponse:
            self.begun = self.begun or time.time()
            key = request.headers["Idempotency-Key"]
            await request.body()
            await asyncio.sleep(max(0.0, self.begun + self.stall_s - time.time()))
            workflow_id = str(uuid.uuid5(IDEMPOTENCY_NAMESPACE, key))
            self.ends[workflow_id] = float("inf") if self.never else time.time() + TAKES_S
            return JSONResponse({"workflowId": workflow_id, "status": "RUNNING"}, 202)

        @app.get("/workflow/{workflow_id}")
        async def status(workflow_id: str, wait: float = 0) -> dict[str, Any]:
            await asyncio.sleep(min(wait, max(0.0, self.ends[workflow_id] - time.time())))
            done = time.time() >= self.ends[workflow_id] - 0.01
            return {"status": "COMPLETED", "result": {}} if done else {"status": "RUNNING", "progress": 5}

        return app


@asynccontextmanager
async def gateway(**how: Any) -> AsyncIterator[str]:
    async with serving(Gateway(**how).app()) as url:
        yield url


def plan(tmp_path: Path, **more: Any) -> Plan:
    mix = tmp_path / "mix.yaml"
    mix.write_text(
        "- {scenario: near, weight: 2, follow: wait}\n- {scenario: strokes-that-add, weight: 1, follow: wait}"
    )
    fields: dict[str, Any] = {"rate": 8, "seconds": 3, "drain_s": 20, "shape": "poisson", "mix": mix}
    return Plan(host="http://127.0.0.1:1", **fields | more)


def no_progress(_report: dict[str, Any], _samples: Sequence[Sample]) -> None:
    """Show nothing."""


async def loaded(url: str, made: Plan, home: Path) -> dict[str, Any]:
    await asyncio.to_thread(home.mkdir)
    return await run(Target(url), made, home, no_progress)


def records_of(home: Path) -> list[Record]:
    lines = [json.loads(line) for line in (home / "records.jsonl").read_text().splitlines()]
    return [Record(**line) for line in lines[:-1]]


def as_planned(made: Plan) -> list[tuple[int, str, float]]:
    """The same, as the seed has it."""
    mix, planned = load_mix(made.mix, fakes=()), arrivals(made.shape, made.rate, made.seconds, made.seed)
    return [(number, mix.choose(made.seed, number).name, round(at, 6)) for number, at in enumerate(planned)]


def plan_as_it_came(home: Path) -> list[tuple[int, str, float]]:
    """Each try-on's number and case, and when it was to start, in seconds after the run's beginning."""
    begun = json.loads((home / "records.jsonl").read_text().splitlines()[-1])["begun"]
    return sorted((record.number, record.case, round(record.intended - begun, 6)) for record in records_of(home))


async def test_a_run_comes_as_it_is_planned(tmp_path: Path) -> None:
    made = plan(tmp_path, seconds=2)
    async with gateway() as url:
        summary = await loaded(url, made, tmp_path / "one")
    assert plan_as_it_came(tmp_path / "one") == as_planned(made)
    assert summary["outcomes"] == {"completed": len(as_planned(made))}
    assert TAKES_S <= summary["transaction"]["p50_s"] < 25 * TAKES_S  # seconds, on however busy a machine


@pytest.mark.long("a load run in real time")
async def test_an_interrupted_run_is_summed_up_with_what_was_running(tmp_path: Path) -> None:
    made = plan(tmp_path, seconds=300, rate=4, shape="constant")
    enough = asyncio.Event()

    def look(report: dict[str, Any], _samples: Sequence[Sample]) -> None:
        if report["ended"] >= 4:
            enough.set()

    (tmp_path / "run").mkdir()
    async with gateway() as url:
        task = asyncio.create_task(run(Target(url), made, tmp_path / "run", look))
        async with asyncio.timeout(60):
            await enough.wait()
        task.cancel()
        with pytest.raises(Interrupted) as interrupted:
            await task
    summary = interrupted.value.summary
    assert summary["interrupted"]
    assert summary["outcomes"]["completed"] >= 4
    assert summary["outcomes"].keys() <= {"completed", "censored"}
    assert summary["arriving_s"] < 60
    assert summary["throughput"] < 6
    assert not [child for child in psutil.Process().children(recursive=True) if "locust" in " ".join(child.cmdline())]


@pytest.mark.long("a load run in real time")
async def test_more_closed_users_than_may_be_in_flight_all_ask(tmp_path: Path) -> None:
    made = plan(tmp_path, model="closed", users=7, max_in_flight=2, think_s=60, seconds=2)
    async with gateway() as url:
        summary = await loaded(url, made, tmp_path / "run")
    assert summary["outcomes"] == {"completed": 7}


@pytest.mark.long("a load run in real time")
async def test_a_stall_shows_in_every_try_on_that_should_have_started_meanwhile(tmp_path: Path) -> None:
    async with gateway(stall_s=3.0) as url:
        summary = await loaded(url, plan(tmp_path, shape="constant"), tmp_path / "run")
    # 8/s for 3 s, all held back for up to 3 s: a closed loop would have seen one slow start and 23 that were never made
    assert summary["outcomes"] == {"completed": 24}
    assert summary["transaction"]["max_s"] >= 3.0
    assert summary["transaction"]["p50_s"] > 1.5
    assert summary["requests"]["start"]["max_s"] >= 2.9


@pytest.mark.long("a load run in real time")
async def test_arrivals_that_find_no_place_are_dropped_and_told_and_what_runs_on_is_censored(tmp_path: Path) -> None:
    async with gateway(never=True) as url:
        made = plan(tmp_path, shape="constant", max_in_flight=5, drain_s=1)
        summary = await loaded(url, made, tmp_path / "run")
    assert summary["outcomes"] == {"censored": 5, "dropped": 19}
    assert summary["dropped"] == 19
    assert summary["arrived"] == 24
    assert summary["transaction"] == {"count": 0}


async def test_a_generator_that_dies_ends_the_run_at_once_and_old_records_are_not_taken_for_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "records.jsonl").write_text(json.dumps({"complete": True, "run": "old", "begun": 1.0}) + "\n")
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('this generator does not start')")
    monkeypatch.setattr(swarm, "LOCUSTFILE", broken)
    async with asyncio.timeout(300):  # the run itself would last twice as long
        with pytest.raises(RunError, match=r"(?s)exit code 1; its log: .*locust.log.*this generator does not start"):
            await run(Target("http://127.0.0.1:1"), plan(tmp_path, seconds=600), tmp_path / "run", no_progress)
    left = tmp_path / "run" / "records.jsonl"
    assert not left.exists() or '"old"' not in left.read_text()


FAULTY = "- {scenario: near, weight: 1, follow: wait}\n- {scenario: sam3-job-failed-once, weight: 1, follow: wait}"


@pytest.mark.long("a load run in real time")
async def test_a_try_on_whose_faults_cannot_be_set_is_not_started_and_told(tmp_path: Path) -> None:
    made = plan(tmp_path, shape="constant", fakes={"sam3": f"http://127.0.0.1:{reserve_port()}"}, seconds=1.5)
    made.mix.write_text(FAULTY)
    async with gateway() as url:
        home = tmp_path / "run"
        home.mkdir()
        made = made.model_copy(update={"host": url, "records": home / "records.jsonl"})
        await generate(made, home, lambda _report: None)
    outcomes = Counter(record.outcome for record in records_of(home))
    assert outcomes.keys() == {"completed", "not started"}
    assert outcomes.total() == 12
    assert all("no control plane" in (r.code or "") for r in records_of(home) if r.outcome == "not started")
