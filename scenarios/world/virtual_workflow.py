"""The workflow's side of virtual time: it hears when attempts ended, lets timers pass, says when others begin."""

import asyncio
from datetime import datetime, timedelta
from functools import cache
from math import floor
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, create_model
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import StartActivityInput, WorkflowInboundInterceptor, WorkflowOutboundInterceptor

USED = "simulated_seconds"
ENDED = "simulated_end"
BEGIN_HEADER = "simulated-begin"
"""When an activity is scheduled, in virtual seconds of its run; so are the ends that come back."""
OWN_WAIT_GRAIN = 10
"""A workflow's own waits count in tenths of a second: they are the server's time, and a little wall time leaks in."""
Value = TypeVar("Value")


class Envelope(BaseModel, Generic[Value]):
    """A result, the virtual seconds that its attempt used, and when that ended in the workflow's run."""

    used: float
    ended: float
    value: Value


@cache
def _envelope_of(result: Any) -> type[BaseModel]:
    return create_model("EnvelopeOf", used=(float, ...), ended=(float, ...), value=(result, ...))


class VirtualWorkflow(WorkflowInboundInterceptor):
    """Lets a workflow catch up with what its activities used."""

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Watch the activities that it starts."""
        super().init(_CatchUp(outbound))


class _CatchUp(WorkflowOutboundInterceptor):
    """Takes what an attempt used out of its result or failure, and lets a timer pass for it.

    Each activity is told when it is scheduled: at the latest end that the workflow has heard of, and what it waited by
    itself since then. The first one is scheduled at 0.
    """

    def __init__(self, following: WorkflowOutboundInterceptor) -> None:
        super().__init__(following)
        self._now = 0.0
        self._heard: datetime | None = None

    def _begin(self) -> float:
        if self._heard is None:
            self._heard = workflow.now()
        waited = (workflow.now() - self._heard).total_seconds()
        return self._now + floor(waited * OWN_WAIT_GRAIN) / OWN_WAIT_GRAIN

    async def _hear(self, used: float, ended: float) -> None:
        if used:
            await workflow.sleep(used)
        if ended >= self._now:
            self._now, self._heard = ended, workflow.now()

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - the SDK's name
        begin = Payload(data=repr(self._begin()).encode(), metadata={"encoding": b"json/plain"})
        input.headers = {**input.headers, BEGIN_HEADER: begin}
        input.ret_type = _envelope_of(Any if input.ret_type is None else input.ret_type)
        handle = super().start_activity(input)

        async def finish() -> Any:
            try:
                envelope = await handle
            except ActivityError as error:
                told, original = _without_told(error)
                await self._hear(told.get(USED, 0.0), told.get(ENDED, -1.0))
                raise original from original.__cause__
            await self._hear(envelope.used, envelope.ended)
            return envelope.value

        return cast("workflow.ActivityHandle[Any]", asyncio.ensure_future(finish()))


def _without_told(error: ActivityError) -> tuple[dict[str, float], ActivityError]:
    """Return the times in a failure's details, and the failure as production would have seen it."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or not cause.details:
        return {}, error
    *details, last = cause.details
    if not isinstance(last, dict) or USED not in last:
        return {}, error
    original = ActivityError(
        error.message,
        scheduled_event_id=error.scheduled_event_id,
        started_event_id=error.started_event_id,
        identity=error.identity,
        activity_type=error.activity_type,
        activity_id=error.activity_id,
        retry_state=error.retry_state,
    )
    original.__cause__ = copied(cause, tuple(details), None)
    return last, original


def copied(error: ApplicationError, details: tuple[Any, ...], delay: timedelta | None) -> ApplicationError:
    """Return the same error with these details and this delay before the next attempt."""
    copy = ApplicationError(
        error.message,
        *details,
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=delay,
        category=error.category,
    )
    copy.__cause__ = error.__cause__
    return copy.with_traceback(error.__traceback__)
