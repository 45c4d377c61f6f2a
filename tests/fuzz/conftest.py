"""A gateway process with a real Temporal and blob store and no worker: nothing of what is started runs.

Beside that it knows a try-on in each state that there is.
"""

import os
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings as hypothesis_settings
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError

from app.gateway.temporal_calls import WORKFLOW_TYPE
from app.pipeline.models import MaskPoint, WorkflowInput
from app.services.blob import BlobStore
from app.settings import Settings
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import Backend, until, working

QUEUE = "of-known-try-ons"
"""Not the gateway's: of what it starts nothing runs."""

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""So many for each fuzzer; `make fuzz` asks for 10,000."""

hypothesis_settings.register_profile(
    "gateway",
    max_examples=EXAMPLES,
    deadline=None,  # a client's time-out says when it hangs
    database=None,
    derandomize=EXAMPLES <= 100,  # the same few in each `make test`, others in each `make fuzz`
    suppress_health_check=list(HealthCheck),
)
hypothesis_settings.load_profile("gateway")


class Target:
    """The gateway's address, and how much memory it has."""

    def __init__(self, stack: Stack) -> None:
        self.url = stack.urls["gateway"]
        self.port = stack.ports.gateway
        self.temporal = stack.temporal_address
        self.environment = stack.environment
        self._process = psutil.Process(stack["gateway"].pid)

    def memory_mb(self) -> float:
        return float(self._process.memory_info().rss / 1e6)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    parts = frozenset({"temporal", "azurite", "gateway"})
    extra = {"gateway": {"BODY_TIMEOUT_S": "5", "LOG_LEVEL": "ERROR"}}
    options = Options(parts=parts, temporal_ui=False, extra=extra)
    async with Stack(home=tmp_path_factory.mktemp("fuzz"), options=options) as stack:
        yield Target(stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def known(target: Target) -> dict[str, str]:
    """The ids of try-ons that the gateway knows, by their status. Nobody works on the RUNNING one, which stays so."""
    environment = {name.lower(): value for name, value in target.environment.items()}
    settings = Settings.model_validate(environment | {"task_queue": QUEUE})
    client = await Client.connect(target.temporal, data_converter=pydantic_data_converter)
    blobs = BlobStore(settings)
    backend = Backend(blobs)
    ids = {status: f"fuzz-{status.lower()}" for status in ("RUNNING", "COMPLETED", "FAILED", "CANCELLED")}

    async def start(status: str, queue: str = QUEUE) -> WorkflowHandle[Any, Any]:
        given = WorkflowInput(image="azure://c/x", mask_points=[MaskPoint(x=0, y=0, label=1)])
        return await client.start_workflow(WORKFLOW_TYPE, given, id=ids[status], task_queue=queue)

    async with working(client, settings, backend):
        await (await start("COMPLETED")).result()
        backend.broken = {"resize_image": ApplicationError("refused", non_retryable=True)}
        with pytest.raises(WorkflowFailureError):
            await (await start("FAILED")).result()
        backend.reset()
        backend.held = {"generate_mask"}  # it has a heartbeat, which brings the cancellation
        cancelled = await start("CANCELLED")

        async def held() -> bool:
            progress = await cancelled.query("get_progress")
            return bool(progress["currentStep"] == "GENERATING_MASK")

        await until(held)
        await cancelled.cancel()
        with pytest.raises(WorkflowFailureError):
            await cancelled.result()
    await start("RUNNING", "nobody")
    await blobs.close()
    return ids
