"""Which heartbeats of an attempt reach the server, and when: the SDK keeps back what follows another one too soon."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any

from temporalio.worker import WorkerConfig

from .story import Story

Details = tuple[Any, ...]


@dataclass(frozen=True)
class Throttle:
    """How far apart a worker sends the heartbeats of one attempt, in seconds.

    Attributes:
        most: at most so far.
        usual: so far where the activity has no heartbeat timeout. One that has it: four fifths of that.
    """

    most: float
    usual: float

    @classmethod
    def take(cls, config: WorkerConfig) -> "Throttle":
        """Take what a worker was told, or the SDK's own numbers."""
        most = config.get("max_heartbeat_throttle_interval", timedelta(seconds=60))
        usual = config.get("default_heartbeat_throttle_interval", timedelta(seconds=30))
        return cls(most.total_seconds(), usual.total_seconds())

    def interval(self, heartbeat_timeout: float) -> float:
        """Return the seconds between two heartbeats that are sent."""
        return min(self.most, 0.8 * heartbeat_timeout if isfinite(heartbeat_timeout) else self.usual)


class Heartbeats:
    """Those of one attempt.

    Args:
        interval: seconds between two that are sent.
        arrive: is told the details of each that is.
    """

    def __init__(self, story: Story, interval: float, arrive: Callable[[Details], None]) -> None:
        self._story, self._interval, self._arrive = story, interval, arrive
        self._kept: Details = ()
        self._sending: asyncio.TimerHandle | None = None
        self._next = 0.0

    def beat(self, details: Details) -> None:
        """Send one, or keep it until the next may be sent: of those that are kept the newest counts."""
        self._kept = details
        if self._sending is None:
            if self._story.now < self._next:
                self._sending = self._story.call_at(self._next, self._send)
            else:
                self._send()

    def newest(self, sent: Details) -> Details:
        """Return the details of the newest one, which goes to the server before an attempt's failure does.

        Args:
            sent: those of the newest that has been sent.
        """
        return sent if self._sending is None else self._kept

    def stop(self) -> None:
        """Send no more of them: what is kept is lost."""
        if self._sending:
            self._sending.cancel()
            self._sending = None

    def _send(self) -> None:
        self._sending, self._next = None, self._story.now + self._interval
        self._arrive(self._kept)
