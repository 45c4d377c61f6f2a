"""Is a process healthy yet? One probe for each kind of server; each says no, and does not raise, while it is not."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient
from temporalio.api.enums.v1 import DescribeTaskQueueMode, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from scenarios.processes.child import Probe
from scenarios.processes.ports import HOST

# The newest version of the blob protocol that Azurite 3.37 speaks.
BLOB_API_VERSION = "2025-11-05"

_ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


def answers(port: int, path: str = "/", *, below: int = 500) -> Probe:
    """Healthy once a GET of this path answers with a status below this one."""

    async def probe(_pid: int) -> bool:
        if not await listens(port):  # costs nothing, while a client is made of many parts
            return False
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            try:
                return (await client.get(f"http://{HOST}:{port}{path}")).status_code < below
            except httpx.TransportError:
                return False

    return probe


def container_is_there(port: int, *, account: str, key: str, container: str) -> Probe:
    """Healthy once the blob store has this container; makes it."""

    async def probe(_pid: int) -> bool:
        if not await listens(port):
            return False
        store = BlobServiceClient(
            f"http://{HOST}:{port}/{account}", credential=key, api_version=BLOB_API_VERSION, retry_total=0
        )
        async with store:
            try:
                await store.create_container(container)
            except ResourceExistsError:
                return True
            except AzureError:
                return False
            return True

    return probe


def temporal_is_ready(port: int, *, namespace: str, ui_port: int | None) -> Probe:
    """Healthy once the server knows its namespace and, when there is one, its web page answers."""
    page = answers(ui_port) if ui_port is not None else None

    async def probe(pid: int) -> bool:
        if not await listens(port):
            return False
        try:
            client = await Client.connect(f"{HOST}:{port}", namespace=namespace)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        except (RPCError, RuntimeError):  # RuntimeError is how the SDK says that it could not connect
            return False
        return page is None or await page(pid)

    return probe


def polls(port: int, *, namespace: str, queues: Sequence[str]) -> Probe:
    """Healthy once this very process, not one before it, is seen to poll each of the task queues."""
    connection: Client | None = None

    async def probe(pid: int) -> bool:
        nonlocal connection
        try:
            connection = connection or await Client.connect(f"{HOST}:{port}", namespace=namespace)
            for queue in queues:
                if not any([identity.startswith(f"{pid}@") async for identity in _polling(connection, queue)]):
                    return False
        except (RPCError, RuntimeError):
            return False
        return True

    return probe


async def _polling(connection: Client, queue: str) -> AsyncIterator[str]:
    """Yield the identities that poll a task queue for activities.

    Two looks, for each is blind to something: the default mode sees the pollers of the first partition alone, and a new
    worker may poll another; the enhanced one sees every partition, but no worker that has a deployment version.
    """
    request = DescribeTaskQueueRequest(
        namespace=connection.namespace, task_queue=TaskQueue(name=queue), task_queue_type=_ACTIVITY
    )
    for poller in (await connection.workflow_service.describe_task_queue(request)).pollers:
        yield poller.identity
    request.api_mode = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED
    request.report_pollers = True
    answer = await connection.workflow_service.describe_task_queue(request)
    for version in answer.versions_info.values():
        for poller in version.types_info[_ACTIVITY].pollers if _ACTIVITY in version.types_info else ():
            yield poller.identity


async def listens(port: int) -> bool:
    """Say whether a port of loopback takes connections."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
