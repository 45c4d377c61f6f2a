"""What a plain worker's attempts did, by the server's clock: an interceptor that only looks."""

import asyncio
import time
from collections import defaultdict
from contextvars import ContextVar
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from scenarios.histories import seconds
from scenarios.stories.referee import SeenAttempt

_ahead: ContextVar[float | None] = ContextVar("ahead", default=None)
"""How many seconds the server's clock for this workflow is ahead of the machine's."""


def server_time() -> str | None:
    """Return the server's time for the workflow of the running attempt, in Unix seconds; None outside of one."""
    ahead = _ahead.get()
    return None if ahead is None else repr(time.time() + ahead)


class Witness(Interceptor):
    """Writes down each attempt.

    Args:
        client: asks the server when the attempt before had ended.

    Attributes:
        attempts: those of each workflow in the order in which they began.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.attempts: dict[str, list[SeenAttempt]] = defaultdict(list)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Look at one attempt."""
        return _Look(next, self)


class _Look(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, witness: Witness) -> None:
        super().__init__(following)
        self._witness = witness

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        _ahead.set(info.started_time.timestamp() - time.time())
        seen = SeenAttempt(info.activity_type, info.attempt)
        self._witness.attempts[info.workflow_id or ""].append(seen)
        try:
            if info.attempt > 1:
                seen.after = info.current_attempt_scheduled_time.timestamp() - await self._last_end(info)
            result = await super().execute_activity(input)
            seen.outcome = "completed"
        except (asyncio.CancelledError, CancelledError):
            seen.outcome = "cancelled"
            raise
        except Exception as error:
            kind = error.type if isinstance(error, ApplicationError) else None
            seen.outcome = kind or type(error).__name__
            raise
        return result

    async def _last_end(self, info: activity.Info) -> float:
        """Return when the server heard of the end of the attempt before."""
        handle = self._witness.client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        told = (await handle.describe()).raw_description.pending_activities
        return next(seconds(each.last_attempt_complete_time) for each in told if each.activity_id == info.activity_id)
