"""Processes that end: workers killed or drained, the Temporal server and the gateway killed."""

import asyncio
import signal
import time

import httpx
from azure.storage.blob.aio import BlobServiceClient
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from app.names import staged_blob
from scenarios.chaos.case import StruckTryOn
from scenarios.chaos.holding import HOLD_S
from scenarios.chaos.site import StruckStack, expect, until
from scenarios.chaos.starts import holder_of, start_and_hold
from scenarios.processes.probes import BLOB_API_VERSION
from scenarios.stack.programs import ACCOUNT_KEY, CONTAINER

DRAINED_CALL_S = 8.0
"""A call that a draining worker finishes."""

REPEATS = 5
"""So many clients send the same request again at once."""


async def kill_worker(site: StruckStack, tryon: StruckTryOn) -> None:
    """Kill -9 the worker that runs the step, while its call is in flight; the other worker takes over."""
    await start_and_hold(site, tryon)
    holder = await holder_of(site, tryon)
    await site.stack.kill(holder)
    site.resume("azurite")


async def drain_worker(site: StruckStack, tryon: StruckTryOn) -> None:
    """SIGTERM the worker that runs the step: it finishes its call, takes nothing new, and leaves."""
    await start_and_hold(site, tryon, {"kind": "delay", "seconds": DRAINED_CALL_S})
    holder = await holder_of(site, tryon)
    site.stack[holder].signal(signal.SIGTERM)

    async def left() -> bool:
        return not site.stack[holder].running

    await until(left, DRAINED_CALL_S + 30, f"the drained {holder} to leave")
    expect("worker stopped" in site.stack[holder].tail()[-1], f"{holder} did not leave in order")


async def kill_temporal(site: StruckStack, tryon: StruckTryOn) -> None:
    """Kill -9 the Temporal server while the step's call is in flight, and start it again on its database."""
    await start_and_hold(site, tryon, {"kind": "delay", "seconds": HOLD_S / 2})
    await site.stack.kill("temporal")
    site.resume("azurite")
    await site.stack.start("temporal")


async def kill_gateway_before_start(site: StruckStack, tryon: StruckTryOn) -> None:
    """Kill -9 the gateway when it has stored the photo and Temporal has not heard of it; the client tries again."""
    await site.stack.stop("temporal")
    request = asyncio.create_task(site.post(tryon.key))
    await until(lambda: _staged(site, tryon), 30, "the staged photo")
    await site.stack.kill("gateway")
    await site.stack.start("temporal")
    handle = site.temporal.get_workflow_handle(tryon.id)
    expect(not await _known(handle), "Temporal knows of a try-on whose start it cannot have heard of")
    await _client_tries_again(site, tryon, request)


async def kill_gateway_after_start(site: StruckStack, tryon: StruckTryOn) -> None:
    """Kill -9 the gateway as soon as Temporal has the workflow; the client, who may have no answer, tries again."""
    request = asyncio.create_task(site.post(tryon.key))
    await until(lambda: _known(site.temporal.get_workflow_handle(tryon.id)), 30, "the workflow in Temporal")
    await site.stack.kill("gateway")
    await _client_tries_again(site, tryon, request)


async def _client_tries_again(site: StruckStack, tryon: StruckTryOn, first: asyncio.Task[httpx.Response]) -> None:
    await asyncio.gather(first, return_exceptions=True)  # its answer is lost, or came just before
    await site.stack.start("gateway")
    answers = await asyncio.gather(*(_persistent_post(site, tryon) for _ in range(REPEATS)))
    told = {(answer.status_code, answer.json().get("workflowId", answer.text)) for answer in answers}
    expect(told == {(202, tryon.id)}, f"each repeated start was to answer 202 with {tryon.id}, they answered {told}")


async def _persistent_post(site: StruckStack, tryon: StruckTryOn) -> httpx.Response:
    """Ask as a client should: again after a 503, which says that nothing was accepted."""

    async def taken() -> httpx.Response | None:
        answer = await site.post(tryon.key)
        return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer

    found: httpx.Response = await until(taken, 60, "another answer than 503")
    return found


async def _staged(site: StruckStack, tryon: StruckTryOn) -> bool:
    endpoint = site.stack.environment["AZURE_BLOB_ENDPOINT"]
    store = BlobServiceClient(endpoint, credential=ACCOUNT_KEY, api_version=BLOB_API_VERSION)
    async with store, store.get_blob_client(CONTAINER, staged_blob(tryon.id)) as blob:
        return await blob.exists()


async def _known(handle: WorkflowHandle[object, object]) -> bool:
    """Whether Temporal has the workflow, asked for a second: the gap after a start is milliseconds."""
    began = time.monotonic()
    while time.monotonic() - began < 1:
        try:
            await handle.describe()
        except RPCError:
            continue
        return True
    return False
