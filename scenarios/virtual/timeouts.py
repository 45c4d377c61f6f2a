"""The timeouts of one attempt, which its story enforces instead of the server."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .failures import ExpiredError
from .limits import Limits
from .story import Story

BUFFER_S = 5.0
"""Seconds by which the SDK's core waits longer than the server, before it ends code whose attempt is over."""


class Timeouts:
    """They end an attempt at most once.

    Args:
        limits: the activity's.
        scheduled: when its first attempt was, in virtual seconds.

    Attributes:
        passed: the name of the timeout that ended the attempt, once one has.
        close_by: when the activity's time is over.
        tell: is told of it at once, where somebody else completes the attempt.
    """

    def __init__(self, story: Story, limits: Limits, scheduled: float) -> None:
        self._story, self._limits = story, limits
        self.close_by = scheduled + limits.schedule_to_close
        self.passed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.tell: Callable[[ExpiredError], object] | None = None
        self._began = self._heard = story.now
        self._timers = {"SCHEDULE_TO_CLOSE": story.call_at(self.close_by, self._expire, "SCHEDULE_TO_CLOSE")}

    @property
    def have_passed(self) -> bool:
        """Whether one has ended the attempt."""
        return self.passed.done()

    @contextmanager
    def until_it_starts(self) -> Iterator[None]:
        """Count the time for which it waits for a slot."""
        self._set("SCHEDULE_TO_START", self._limits.schedule_to_start)
        try:
            yield
        finally:
            self._timers.pop("SCHEDULE_TO_START").cancel()

    def start(self) -> None:
        """Count from now: its code begins."""
        self._began = self._story.now
        self._set("START_TO_CLOSE", self._limits.start_to_close)
        self.listen()

    def listen(self) -> None:
        """Count its silence from now: the server has heard of it."""
        self._heard = self._story.now
        if "HEARTBEAT" in self._timers:
            self._timers["HEARTBEAT"].cancel()
        self._set("HEARTBEAT", self._limits.heartbeat)

    def code_ends_at(self) -> float:
        """Return when the SDK's core ends code that outlives its attempt: of `schedule_to_close` it knows nothing."""
        return BUFFER_S + min(self._began + self._limits.start_to_close, self._heard + self._limits.heartbeat)

    def stop(self) -> None:
        """None can end it any more."""
        for timer in self._timers.values():
            timer.cancel()

    def _set(self, timeout: str, seconds: float) -> None:
        self._timers[timeout] = self._story.call_at(self._story.now + seconds, self._expire, timeout)

    def _expire(self, timeout: str) -> None:
        if not self.have_passed:
            self.passed.set_result(timeout)
            if self.tell:
                self.tell(ExpiredError(timeout))
