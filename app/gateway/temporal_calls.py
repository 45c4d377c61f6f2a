"""Try-ons as the gateway sees them: started, looked at and cancelled through Temporal, which holds all their state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from app.errors.request import WorkflowFinishedError, WorkflowNotFoundError
from app.errors.temporal import TemporalAnswerLostError, TemporalUnavailableError, of_tryon
from app.gateway.shared_calls import SharedCalls
from app.pipeline.models import Failure, WorkflowInput, WorkflowOutput
from app.pipeline.steps import Step
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.settings import Settings

RPC_TIMEOUT = timedelta(seconds=5)
CALL_DEADLINE = 7.0
"""Seconds for one call with its connecting, which the SDK's timeout does not cover."""

TAIL = 20
"""Events of a history that are read at once, newest first: an activity and what surrounds it are fewer."""

WORKFLOW_TYPE = JewelryGenerationWorkflow.__name__

_REFUSED_IDS = {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}


class Status(StrEnum):
    """How a try-on stands, in the words of the API."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


_STATUS: dict[int, Status] = {
    WorkflowExecutionStatus.COMPLETED: Status.COMPLETED,
    WorkflowExecutionStatus.FAILED: Status.FAILED,
    WorkflowExecutionStatus.CANCELED: Status.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: Status.FAILED,
    WorkflowExecutionStatus.TIMED_OUT: Status.FAILED,
}
"""Every other status of Temporal's is one of a workflow that goes on."""

_REFUSALS = {
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNAUTHENTICATED,
    RPCStatusCode.UNIMPLEMENTED,
}
"""With any other status Temporal may have done what it was asked, and only its answer was lost."""


def _status(description: DescribeWorkflowExecutionResponse) -> Status:
    return _STATUS.get(description.workflow_execution_info.status, Status.RUNNING)


@dataclass(frozen=True)
class Snapshot:
    """One look at a try-on. `step` is there while it is RUNNING, `failure` when it FAILED."""

    workflow_id: str
    status: Status
    step: Step = Step.UPLOADING_IMAGE
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status is not Status.RUNNING


class AlreadyStartedError(Exception):
    """There is a try-on with this id; `body_digest` is that of the request that started it."""

    def __init__(self, body_digest: str | None) -> None:
        super().__init__("already started")
        self.body_digest = body_digest


class TryOns:
    """All calls to Temporal that the gateway makes."""

    def __init__(self, client: Client, settings: Settings) -> None:
        """Keep the client, which may connect at its first call, the task queue and the execution timeout."""
        self._client = client
        self._settings = settings
        self._looks = SharedCalls(self._look)
        self._ends = SharedCalls(self._end)

    def use(self, client: Client) -> None:
        """Make every call from now on by this client: its credentials are newer."""
        self._client = client

    async def start(self, workflow_id: str, given: WorkflowInput, *, body_digest: str | None) -> None:
        """Start a try-on. When the answer is lost Temporal is asked once more, by the same id: there is no second one.

        Raises:
            AlreadyStartedError: there is or was one with this id.
            TemporalAnswerLostError: nobody can tell whether Temporal took it; the answer names its id.
            TemporalUnavailableError: Temporal did not take it.
        """
        with suppress(TemporalAnswerLostError):
            return await self._start(workflow_id, given, body_digest)
        try:
            await self._start(workflow_id, given, body_digest)
        except TemporalUnavailableError as error:
            message = (
                "Temporal did not say whether it took the try-on: ask for its id, or send the same again, "
                "with the id as Idempotency-Key where there was none"
            )
            beside = {"workflowId": workflow_id}
            raise TemporalAnswerLostError(message, retry_after=5, beside=beside) from error

    async def _start(self, workflow_id: str, given: WorkflowInput, body_digest: str | None) -> None:
        memo: dict[str, Any] = {
            **({"bodyDigest": body_digest} if body_digest else {}),
            **({"sessionId": given.session_id} if given.session_id else {}),
        }
        try:
            async with _calling_temporal():
                await self._client.start_workflow(
                    JewelryGenerationWorkflow.run,
                    given,
                    id=workflow_id,
                    task_queue=self._settings.task_queue,
                    execution_timeout=timedelta(seconds=self._settings.workflow_timeout_s),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    memo=memo,
                    rpc_timeout=RPC_TIMEOUT,
                )
        except WorkflowAlreadyStartedError:
            description = await self._describe(workflow_id)
            kept = description.workflow_execution_info.memo.fields
            digest = await self._client.data_converter.decode([kept["bodyDigest"]]) if "bodyDigest" in kept else [None]
            raise AlreadyStartedError(digest[0]) from None

    async def look(self, workflow_id: str) -> Snapshot:
        """Say how a try-on stands, by what Temporal knows of its activities. It works while no worker is up.

        Raises:
            WorkflowNotFoundError: there is no such try-on.
            TemporalUnavailableError: Temporal did not answer.
        """
        return await self._looks(workflow_id)

    async def _look(self, workflow_id: str) -> Snapshot:
        description = await self._describe(workflow_id)
        status = _status(description)
        if status is Status.FAILED:
            return Snapshot(workflow_id, status, failure=await self._failure(description))
        if status is Status.RUNNING:
            return Snapshot(workflow_id, status, await self._step(description))
        return Snapshot(workflow_id, status)

    async def ended(self, workflow_id: str) -> WorkflowOutput | None:
        """Return the output once a try-on is COMPLETED, and nothing once it has ended otherwise.

        Temporal holds the call until then: nobody has to poll. Those who wait for one try-on share a call.

        Raises:
            WorkflowNotFoundError: there is no such try-on.
            TemporalUnavailableError: Temporal did not answer.
        """
        return await self._ends(workflow_id)

    async def _end(self, workflow_id: str) -> WorkflowOutput | None:
        with suppress(WorkflowFailureError):
            async with _calling_temporal(deadline=None):
                return await self._handle(workflow_id).result()
        return None

    async def output(self, workflow_id: str) -> WorkflowOutput:
        """Return the output of a COMPLETED try-on."""
        async with _calling_temporal():
            return await self._handle(workflow_id).result(rpc_timeout=RPC_TIMEOUT)

    async def cancel(self, workflow_id: str) -> None:
        """Ask a running try-on to end; it does so within seconds, while a worker is up.

        Raises:
            WorkflowFinishedError: it has ended already.
            WorkflowNotFoundError: there is no such try-on.
            TemporalUnavailableError: Temporal did not answer.
        """
        status = _status(await self._describe(workflow_id))
        if status is Status.RUNNING:
            async with _calling_temporal():
                await self._client.get_workflow_handle(workflow_id).cancel(rpc_timeout=RPC_TIMEOUT)
            # Of one that ended between the two calls the server has taken the cancel without a word.
            status = _status(await self._describe(workflow_id))
            if status in {Status.RUNNING, Status.CANCELLED}:
                return
        raise WorkflowFinishedError(
            f"The try-on has ended already: it is {status}",
            beside={"workflowId": workflow_id, "status": status},
        )

    async def check(self, seconds: float) -> bool:
        """Say whether Temporal answers within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._client.service_client.check_health(timeout=timedelta(seconds=seconds))
        except (TimeoutError, RPCError, RuntimeError):
            return False

    def _handle(self, workflow_id: str) -> WorkflowHandle[JewelryGenerationWorkflow, WorkflowOutput]:
        return self._client.get_workflow_handle_for(JewelryGenerationWorkflow.run, workflow_id)

    async def _describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse:
        # As the SDK's `describe()` asks. What that makes of the answer costs as much again, and nobody here reads it.
        request = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        async with _calling_temporal():
            found = await self._client.workflow_service.describe_workflow_execution(
                request, retry=True, timeout=RPC_TIMEOUT
            )
        if found.workflow_execution_info.type.name != WORKFLOW_TYPE:
            raise WorkflowNotFoundError("There is no try-on with this id")
        return found

    async def _step(self, description: DescribeWorkflowExecutionResponse) -> Step:
        """Return the step of the activity that is pending; between two activities, that of the one before."""
        for pending in description.pending_activities:
            if step := Step.of_activity(pending.activity_type.name):
                return step
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace,
            execution=description.workflow_execution_info.execution,
            maximum_page_size=TAIL,
        )
        while True:
            async with _calling_temporal():
                page = await self._client.workflow_service.get_workflow_execution_history_reverse(
                    request, timeout=RPC_TIMEOUT
                )
            for event in page.history.events:
                # An event of another type has no such name.
                if step := Step.of_activity(event.activity_task_scheduled_event_attributes.activity_type.name):
                    return step
            if not page.next_page_token:
                return Step.UPLOADING_IMAGE
            request.next_page_token = page.next_page_token

    async def _failure(self, description: DescribeWorkflowExecutionResponse) -> Failure:
        """Return why it failed. Only of a failure has Temporal more to say than the status."""
        said, info = None, description.workflow_execution_info
        status = WorkflowExecutionStatus(info.status)
        if status is WorkflowExecutionStatus.FAILED:
            try:
                await self.output(info.execution.workflow_id)
            except WorkflowFailureError as error:
                said = error
        return of_tryon(status, said, await self._step(description))


@asynccontextmanager
async def _calling_temporal(deadline: float | None = CALL_DEADLINE) -> AsyncIterator[None]:
    """Turn what can go wrong with a call to Temporal into our errors."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError:
        raise TemporalAnswerLostError("Temporal did not answer in time", retry_after=5) from None
    except RPCError as error:
        if error.status in _REFUSED_IDS and not _about_the_namespace(error):
            raise WorkflowNotFoundError("There is no try-on with this id") from error
        unavailable = TemporalUnavailableError if error.status in _REFUSALS else TemporalAnswerLostError
        raise unavailable("Temporal cannot take the request now", retry_after=5) from error
    except RuntimeError as error:  # how the SDK says that a lazy client could not connect
        raise TemporalUnavailableError("Temporal cannot be reached", retry_after=5) from error


def _about_the_namespace(error: RPCError) -> bool:
    """Whether it is the namespace that was not found, which is the operator's to mend, and not a workflow."""
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)
