"""What one attempt runs: a task, perhaps with a thread behind it. It may outlive its attempt for a while."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from temporalio.activity import ActivityCancellationDetails

from .internals import say_cancelled
from .story import Story

REFUSED = ActivityCancellationDetails(not_found=True)
"""Why code is cancelled whose heartbeat came too late."""
TIMED_OUT = ActivityCancellationDetails(not_found=True, timed_out=True)
TIMED_OUT_LOCALLY = ActivityCancellationDetails(timed_out=True)
SHUT_DOWN = ActivityCancellationDetails(worker_shutdown=True)


class Code:
    """The code of an attempt, or what it waits for before that runs.

    Args:
        context: the attempt's.
        threaded: whether it runs in a thread, which nobody can stop.

    Attributes:
        task: what runs, or has run last.
    """

    def __init__(self, story: Story, context: Context, *, threaded: bool) -> None:
        self._story, self._context, self.threaded = story, context, threaded
        self.task: asyncio.Task[Any] | None = None
        self._cut = False

    def run(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begin."""
        self.task = asyncio.ensure_future(work)
        return self.task

    @property
    def runs(self) -> bool:
        """Whether it is under way."""
        return self.task is not None and not self.task.done()

    def when_done(self, then: Callable[[], object]) -> None:
        """Call this once it is done."""
        if self.task is None or self.task.done():
            then()
        else:
            self.task.add_done_callback(lambda _: then())

    # ---------------------------------------------------------------- how it hears that it is cancelled
    def has_heard(self) -> None:
        """The SDK has told it, and a thread all of it: it hears no more."""
        self._cut = True

    def cancel(self) -> None:
        """Cancel the task: the SDK has told the rest."""
        self._cut = True
        if self.task:
            self.task.cancel()

    def hears(self, why: ActivityCancellationDetails) -> None:
        """Have it hear that it is cancelled, unless it knows: whatever it does then, it hears no more."""
        if self.runs and not self._cut:
            self._cut = True
            self._context.run(say_cancelled, why)
            if self.task and not self.threaded:
                self.task.cancel()

    def ends(self, why: ActivityCancellationDetails) -> None:
        """Have it hear so, and wait for it no longer."""
        self.hears(why)
        self.cancel()

    # ---------------------------------------------------------------- after its attempt
    def outlives(self, until: float, why: ActivityCancellationDetails, then: Callable[[], object]) -> None:
        """Let it go on after its attempt until that instant, in virtual seconds, and call `then` once it is done."""
        if self.task is None or not self.runs:
            return
        ending = self._story.call_at(until, self.hears, why)
        self._story.zombies.add(self)

        def done(task: "asyncio.Task[Any]") -> None:
            ending.cancel()
            self._story.zombies.discard(self)
            then()
            if not task.cancelled():
                task.exception()  # nobody else asks

        self.task.add_done_callback(done)
