"""A deploy of a changed worker while try-ons run: each ends on the version that began it."""

import uuid
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from app.pipeline.models import MaskPoint, WorkflowInput
from app.services.blob import BlobStore
from app.settings import Settings
from app.worker import working
from scenarios.chaos.changed_workflow import ChangedWorkflow
from tests.app.gateway.conftest import Backend, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def make_current(client: Client, deployment: str, build_id: str) -> None:
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build_id, identity="the test"
    )

    async def done() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:  # its workers have not been seen yet
            return False
        return True

    await until(done, 30)


async def test_each_try_on_ends_on_the_version_that_began_it(
    settings: Settings, client: Client, blobs: BlobStore
) -> None:
    queue = f"q-{uuid.uuid4()}"

    def deployed(build_id: str) -> Settings:
        return settings.model_copy(update={"task_queue": queue, "worker_build_id": build_id, "worker_drain_s": 0})

    async def start() -> Any:
        given = WorkflowInput(image="azure://x/y", mask_points=[MaskPoint(x=0.5, y=0.5, label=1)])
        return await client.start_workflow("JewelryGenerationWorkflow", given, id=str(uuid.uuid4()), task_queue=queue)

    async def steps(handle: Any) -> list[str]:
        events = (await handle.fetch_history()).events
        kinds = [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]
        return [kind for kind in kinds if kind]

    old_steps = Backend(blobs)
    old_steps.held = {"resize_image"}
    async with working(client, deployed("old"), old_steps):
        await make_current(client, queue, "old")
        old = await start()

        async def at_resize() -> bool:
            return "resize_image" in await steps(old)

        await until(at_resize, 30)
        async with working(client, deployed("new"), Backend(blobs), workflow_type=ChangedWorkflow):
            await make_current(client, queue, "new")
            new = await start()
            await new.result()
            old_steps.release.set()
            await old.result()
    assert (await steps(new))[:4] == ["upload_to_azure", "check_zoom", "upload_to_azure", "resize_image"]
    assert (await steps(old))[:3] == ["upload_to_azure", "resize_image", "check_zoom"]
