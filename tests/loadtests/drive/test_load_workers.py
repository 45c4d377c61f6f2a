"""Load workers, as processes that know only where the master is: one plan, shared, and one report."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtests import thresholds
from loadtests.drive.load_run import Interrupted, RunError, Target, run
from loadtests.measure.sampling import Sample
from loadtests.plan import Plan
from scenarios.processes.child import Child, Program, talking, unasked
from scenarios.processes.ports import HOST, reserve_port
from tests.loadtests.drive.test_locust import (
    as_planned,
    gateway,
    no_progress,
    plan,
    plan_as_it_came,
    records_of,
)

AHEAD_S = 100.0
"""So far ahead is the clock of a worker on a machine whose clock is wrong."""
WRONG_CLOCK = f"import time\nright = time.time\ntime.time = lambda: right() + {AHEAD_S}\n"


def shared(folder: Path, among: int, **more: Any) -> Plan:
    fields = {"load_workers": among, "master": f"{HOST}:{reserve_port()}", "gather_s": 120}
    return plan(folder, **fields | more)


@asynccontextmanager
async def load_worker(folder: Path, made: Plan, *words: str, name: str = "one") -> AsyncIterator[Child]:
    """A load worker; where `folder` has a module `sitecustomize`, it is that process's."""
    home = folder / name
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    port = (made.master or "").rpartition(":")[2]
    program = Program(
        name=name,
        words=[sys.executable, "-m", "loadtests", "worker", "--master", HOST, "--port", port, *words],
        environment={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(home)},
        healthy=unasked,
        addresses={},
    )
    async with talking(program, log=home / "log") as child:
        yield child


async def test_load_workers_share_one_plan_and_their_clocks_do_not_matter(tmp_path: Path) -> None:
    made = shared(tmp_path, 2, seconds=2)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "sitecustomize.py").write_text(WRONG_CLOCK)
    (tmp_path / "run").mkdir()
    async with (
        gateway() as url,
        load_worker(tmp_path, made, name="one") as one,
        load_worker(tmp_path, made, name="two") as two,
    ):
        summary = await run(Target(url), made, tmp_path / "run", no_progress)
        assert [await worker.ended() for worker in (one, two)] == [0, 0]
    planned = as_planned(made)
    assert plan_as_it_came(tmp_path / "run") == planned  # no arrival twice, none lost, each at its time
    assert summary["outcomes"] == {"completed": len(planned)}
    assert summary["transaction"]["count"] == len(planned)
    assert summary["transaction"]["max_s"] < AHEAD_S / 2
    told = sorted(summary["load_workers"], key=lambda worker: float(worker["ahead_s"]))
    assert sorted(worker["arrivals"] for worker in told) == [len(planned) // 2, len(planned) - len(planned) // 2]
    assert [round(worker["ahead_s"] / AHEAD_S, 1) for worker in told] == [0, 1]
    assert all(worker["within_s"] < 1 for worker in told)
    assert not any(worker["died"] for worker in told)


@pytest.mark.long("a load run of which a worker dies")
async def test_a_load_worker_that_dies_is_named_and_its_arrivals_are_not_started(tmp_path: Path) -> None:
    made = shared(tmp_path, 2, rate=4, seconds=25, shape="constant")
    ended = asyncio.Event()

    def look(report: dict[str, Any], _samples: Sequence[Sample]) -> None:
        if report["ended"] >= 8:
            ended.set()

    (tmp_path / "run").mkdir()
    async with (
        gateway() as url,
        load_worker(tmp_path, made, name="one"),
        load_worker(tmp_path, made, name="two") as two,
    ):
        running = asyncio.create_task(run(Target(url), made, tmp_path / "run", look))
        await ended.wait()
        await two.kill()
        summary = await running
    assert plan_as_it_came(tmp_path / "run") == as_planned(made)
    [died] = [worker for worker in summary["load_workers"] if worker["died"]]
    assert died["name"].endswith(f":{two.pid}")
    lost = [record for record in records_of(tmp_path / "run") if record.code == f"load worker {died['name']} died"]
    assert {record.outcome for record in lost} <= {"not started", "censored"}
    assert {record.number % 2 for record in lost} == {lost[0].number % 2}
    assert summary["outcomes"]["not started"] == 50 - died["arrivals"] > 10
    assert summary["outcomes"]["completed"] >= 50
    [judged] = [line for line in thresholds.judge(thresholds.Thresholds(), summary) if line.name.startswith("load")]
    assert (judged.figure, judged.kept) == (1, False)


@pytest.mark.long("a load run more")
async def test_a_load_worker_without_the_key_says_so_and_so_does_the_master(tmp_path: Path) -> None:
    made = shared(tmp_path, 1, api_key="secret")
    (tmp_path / "run").mkdir()
    async with gateway() as url, load_worker(tmp_path, made) as worker:
        with pytest.raises(RunError, match=r"(?s)load worker \S+:\d+: the gateway needs an API key, which the master"):
            await run(Target(url), made, tmp_path / "run", no_progress)
        await worker.ended()
        assert "say API_KEY=… here" in "\n".join(worker.tail())
    assert "secret" not in worker.log.read_text()


@pytest.mark.long("a load run with a key, from another process")
async def test_a_load_worker_sends_its_own_key_and_stops_when_the_run_is_interrupted(tmp_path: Path) -> None:
    made = shared(tmp_path, 1, seconds=300, rate=4, api_key="secret")
    enough = asyncio.Event()

    def look(report: dict[str, Any], _samples: Sequence[Sample]) -> None:
        if report["ended"] >= 4:
            enough.set()

    (tmp_path / "run").mkdir()
    async with gateway() as url, load_worker(tmp_path, made, "--api-key", "secret") as worker:
        running = asyncio.create_task(run(Target(url), made, tmp_path / "run", look))
        await enough.wait()
        running.cancel()
        with pytest.raises(Interrupted) as interrupted:
            await running
        assert await worker.ended() == 0
    assert interrupted.value.summary["outcomes"]["completed"] >= 4
    assert interrupted.value.summary["arriving_s"] < 60


@pytest.mark.long("a load run more")
@pytest.mark.parametrize(
    ("host", "gather_s", "said"),
    [
        ("", 4, "of 2 load workers [01] came within 4 s"),
        ("http://127.0.0.1:1", 120, "http://127.0.0.1:1 does not answer from here"),
    ],
)
async def test_what_keeps_a_run_from_beginning_is_said(host: str, gather_s: float, said: str, tmp_path: Path) -> None:
    made = shared(tmp_path, 2, gather_s=gather_s)
    (tmp_path / "run").mkdir()
    async with gateway() as url, load_worker(tmp_path, made):
        with pytest.raises(RunError, match=said):
            await run(Target(host or url), made, tmp_path / "run", no_progress)
