"""A deadline for a whole piece of work, so that a hang ends in a clear error of the application's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Deadline:
    """An instant by which work has to be done, in the event loop's time; shared by all the calls of one attempt."""

    def __init__(self, seconds: float) -> None:
        """Set the deadline so many seconds from now."""
        self.at = asyncio.get_running_loop().time() + seconds

    def sooner(self, seconds: float) -> "Deadline":
        """Return a deadline so many seconds from now, or this one where it comes first."""
        other = Deadline(seconds)
        return other if other.at < self.at else self

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def limit(self, error: Callable[[], Exception]) -> AsyncIterator[None]:
        """Raise `error()` when what runs inside is not done by the deadline."""
        if not self.remaining:
            raise error()
        try:
            async with asyncio.timeout_at(self.at):
                yield
        except TimeoutError as late:
            raise error() from late
