"""The worker as a process of its own: `python -m app.worker`."""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from app.names import staged_blob
from app.pipeline.models import MaskPoint, WorkflowInput
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.services.blob import BlobStore
from fakes.kit.client import AsyncControl
from fakes.pictures import portrait
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import until


@pytest.mark.long("a worker drains in real time")
async def test_a_worker_that_drains_says_to_the_end_that_it_is_alive(
    client: Client, blobs: BlobStore, backing: Stack, tmp_path: Path
) -> None:
    """Else its healthcheck would have it killed before the generate that it waits for is done."""
    workflow_id, alive = str(uuid4()), tmp_path / "alive"
    environment = backing.environment | {
        "TASK_QUEUE": f"alive-{workflow_id}",
        "WORKER_ALIVE_FILE": str(alive),
        "WORKER_DRAIN_S": "60",
    }
    await blobs.put(staged_blob(workflow_id), portrait(320, 240, seed=9), "image/jpeg")
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.worker", env=environment, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    control = AsyncControl(backing.urls["a100"])
    slow = {"operation": "generate", "key": workflow_id, "fault": {"kind": "delay", "seconds": 9}}
    try:
        async with control.rules_during(slow):
            given = WorkflowInput(
                image=blobs.uri(staged_blob(workflow_id)), mask_points=[MaskPoint(x=0.5, y=0.62, label=1)]
            )
            queue = environment["TASK_QUEUE"]
            handle = await client.start_workflow(JewelryGenerationWorkflow.run, given, id=workflow_id, task_queue=queue)

            async def generating() -> bool:
                return bool(await control.ledger(workflow_id, "generate"))

            await until(generating, 60)
            worker.send_signal(signal.SIGTERM)
            assert worker.stderr is not None
            while b"worker draining" not in await asyncio.wait_for(worker.stderr.readline(), 20):
                pass
            alive.unlink(missing_ok=True)

            async def touched() -> bool:
                return alive.exists()

            await until(touched, 10)
            assert worker.returncode is None
            await asyncio.wait_for(worker.communicate(), 60)
        assert worker.returncode == 0
        assert not alive.exists()
        assert [call["status"] for call in await control.ledger(workflow_id, "generate")] == [200]
        with suppress(RPCError):  # the last task of the draining worker may have been its end
            await handle.terminate()
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.communicate()
        await control.close()
