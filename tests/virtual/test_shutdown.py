"""A worker that ends: its attempts come to their end, and so does it."""

import asyncio
import uuid
from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from scenarios.virtual import Story, VirtualTime
from tests.virtual import activities
from tests.virtual.session import Session
from tests.virtual.workflows import CleansUpBeside


def _ended_at(session: Session, seconds: float, workflow: Any, *args: Any) -> Story:
    """Run a workflow up to an instant; end its worker there; return its story."""

    async def ends() -> Story:
        virtual, name = VirtualTime(), f"ends-with-its-worker-{uuid.uuid4()}"
        client = await Client.connect(session.client.service_client.config.target_host, plugins=[virtual])
        worker = Worker(
            client,
            task_queue=name,
            workflows=[CleansUpBeside],
            activities=[activities.beats],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with worker:
            await client.start_workflow(workflow, args=args, id=name, task_queue=name)
            await virtual.until(name, seconds)
            story = virtual.story(name)
            assert story.running
            await asyncio.wait_for(worker.shutdown(), 30)
        return story

    return session.do(ends())  # type: ignore[no-any-return]


def test_what_no_worker_will_hear_any_more_keeps_no_attempt_from_its_end(session: Session) -> None:
    """The workflow's timer fires while the attempt goes on, or cleans up."""
    story = _ended_at(session, 10, CleansUpBeside.run)
    assert not story.running
    assert story.now > 11
