"""Attempts that are completed from elsewhere: their code is over, and somebody else tells how they end."""

import asyncio
from collections.abc import Callable

from temporalio.client import AsyncActivityIDReference, FailAsyncActivityInput

from .failures import ExpiredError
from .running import Running

TellFailed = Callable[[Running, FailAsyncActivityInput], "asyncio.Task[None]"]
"""Tells the server, in the attempt's own story, that it has failed."""


class Elsewhere:
    """The attempts of one client's workers whose end somebody else will tell.

    Attributes:
        tell_failed: set by whoever has the client's calls.
    """

    tell_failed: TellFailed

    def __init__(self) -> None:
        self._running: dict[object, Running] = {}

    def add(self, running: Running) -> None:
        """Remember an attempt."""
        info = running.info
        self._running = {name: each for name, each in self._running.items() if _goes_on(each)}
        self._running[info.task_token] = self._running[info.workflow_id, info.activity_id] = running

        def expired(error: ExpiredError) -> None:
            self.tell_failed(running, FailAsyncActivityInput(info.task_token, error, [], {}, None))

        running.completes_elsewhere(expired)

    def find(self, activity: AsyncActivityIDReference | bytes) -> Running | None:
        """Return the attempt that is meant, if it is one of ours."""
        known: object = activity
        if isinstance(activity, AsyncActivityIDReference):
            known = (activity.workflow_id, activity.activity_id)
        running = self._running.get(known)
        return running if running and _goes_on(running) else None


def _goes_on(running: Running) -> bool:
    return running.story.running.get(running.key) is running
