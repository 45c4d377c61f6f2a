"""The worker that comes when one has left a story: it knows nothing of what the one before kept in memory."""

from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from scenarios.virtual import VirtualTime


class NextWorker(Interceptor):
    """Hands attempts that begin after their worker has left to other activities of the same names.

    Args:
        time: knows whose worker has left.
        activities: with connections and memory of their own.
    """

    def __init__(self, time: VirtualTime, activities: object) -> None:
        self._time = time
        self._activities = activities

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - SDK's
        """Wrap one attempt."""
        return _Attempt(next, self._time, self._activities)


class _Attempt(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, time: VirtualTime, activities: object) -> None:
        super().__init__(following)
        self._time = time
        self._activities = activities

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - as the SDK's
        workflow_id = activity.info().workflow_id
        if workflow_id and self._time.story(workflow_id).worker_left:
            input.fn = getattr(self._activities, input.fn.__name__)
        return await super().execute_activity(input)
