"""A client process of a benchmark: what it runs, and how it says that it cannot."""

import asyncio
import os
from pathlib import Path

import pytest
from temporalio.worker import Worker

from app.process.temporal import connect
from app.worker import RUNNER
from loadtests.bench.batches import batch
from loadtests.bench.client import ContenderError, client
from loadtests.bench.noop import TASK_QUEUE, NoopWorkflow, no_step
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack


async def test_it_runs_as_many_workflows_as_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stack(home=tmp_path, options=Options(parts=frozenset({"temporal"}), temporal_ui=False)) as stack:
        monkeypatch.setenv("TEMPORAL_ADDRESS", stack.temporal_address)
        temporal = await connect()
        noop = Worker(
            temporal, task_queue=TASK_QUEUE, workflows=[NoopWorkflow], activities=[no_step], workflow_runner=RUNNER
        )
        async with noop, client("loadtests.bench.noop:asking", {**os.environ}, tmp_path) as asks:
            seen = await batch({"client": asks.pid}, 4, 2, asks.run)
        async with asyncio.timeout(10):  # Temporal lists a workflow a moment after its end
            while (await temporal.count_workflows("ExecutionStatus = 'Completed'")).count != 4:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert seen.costs["client"].cpu > 0


async def test_one_that_cannot_start_says_so(tmp_path: Path) -> None:
    environment = {**os.environ, "TEMPORAL_ADDRESS": f"{HOST}:{reserve_port()}"}
    with pytest.raises(ContenderError, match="has ended"):
        async with client("loadtests.bench.noop:asking", environment, tmp_path):
            pass


async def test_a_workflow_that_fails_ends_the_batch_with_its_own_error() -> None:
    async def fails() -> None:
        raise ContenderError("ReadError: Bad file descriptor")

    with pytest.raises(ContenderError, match=r"^ReadError: Bad file descriptor$"):
        await batch({"this": os.getpid()}, 4, 2, fails)
