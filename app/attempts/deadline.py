"""A deadline for a whole piece of work, so that a hang ends in a clear error of the application's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.attempts.clock import Clock


class Deadline:
    """An instant on a clock by which work has to be done; shared by all the calls of one attempt."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        """Set the deadline so many seconds from now."""
        self._clock = clock
        self.at = clock.now() + seconds

    def sooner(self, seconds: float) -> "Deadline":
        """Return a deadline so many seconds from now, or this one where it comes first."""
        other = Deadline(self._clock, seconds)
        return other if other.at < self.at else self

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self._clock.now())

    @asynccontextmanager
    async def limit(self, error: Callable[[], Exception]) -> AsyncIterator[None]:
        """Raise `error()` when what runs inside is not done by the deadline."""
        if not self.remaining:
            raise error()
        try:
            async with self._clock.timeout(self.remaining):
                yield
        except TimeoutError as late:
            raise error() from late
