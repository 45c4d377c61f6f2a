"""The clock seam: production code asks it for the time, for sleep and for deadlines, and never asks who answers."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Clock(Protocol):
    """Time as an activity sees it. Durations are seconds; instants are Unix seconds."""

    def now(self) -> float:
        """Return the current time in Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return a context that raises TimeoutError once so many seconds have passed inside it."""
        ...


class WallClock:
    """The clock of production: the machine's own."""

    def now(self) -> float:
        """Return the machine's time in Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait so many real seconds."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel what runs inside after so many real seconds and raise TimeoutError."""
        return asyncio.timeout(seconds)
