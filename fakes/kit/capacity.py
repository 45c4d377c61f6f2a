"""A model of a server with slots and a queue, first come, first served. It computes times; nothing waits in it."""

import heapq

from .profiles import Capacity


class Full(Exception):  # noqa: N818 - the word for it
    """All slots are taken and the queue is full."""


class Slots:
    """When each admitted call starts and ends. Instants are seconds of any one clock, and may not run backwards.

    A call's end is known when it is admitted, so a slot stays taken until then, though the caller may have left: a GPU
    does not notice either.
    """

    def __init__(self, model: Capacity) -> None:
        self.model = model
        self._free_at = [0.0] * model.slots  # a heap
        self._starts: list[float] = []  # of those that wait: a heap
        self._last_end = float("-inf")

    def admit(self, now: float, service: float, cold: float, scale: float = 1.0) -> float:
        """Take a slot for so many seconds, after a cold start if the server was idle. Return when it ends.

        Raises:
            Full: there is no place to wait, and the model does not say that callers wait anyway.
        """
        waiting = self.waiting(now)
        taken = self._free_at[0] > now
        limit = self.model.queue
        if taken and limit is not None and waiting >= limit and self.model.when_full != "wait":
            raise Full
        start = max(now, self._free_at[0])
        if now - self._last_end >= self.model.idle * scale:
            start += cold
        end = start + service
        heapq.heapreplace(self._free_at, end)
        self._last_end = max(self._last_end, end)
        if start > now:
            heapq.heappush(self._starts, start)
        return end

    def waiting(self, now: float) -> int:
        """Return how many calls wait for a slot."""
        while self._starts and self._starts[0] <= now:
            heapq.heappop(self._starts)
        return len(self._starts)

    def busy(self, now: float) -> int:
        """Return how many slots are taken."""
        return sum(end > now for end in self._free_at)
