"""Slots that all callers share, of which none may hold more than its share: one that is slow keeps nobody else out."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.errors.request import GatewayBusyError


class Slots:
    """So many slots. Who comes first is served first, but for callers that hold their share already."""

    def __init__(self, total: int, share: float, busy: str) -> None:
        """Take the number of slots, the share of them for one caller (at least one slot), and what others are told."""
        self._free = total
        self._each = max(1, math.floor(total * share))
        self._busy = busy
        self._held: Counter[str] = Counter()
        self._waiting: dict[asyncio.Future[None], str] = {}

    @property
    def held(self) -> int:
        """How many slots are taken."""
        return self._held.total()

    @asynccontextmanager
    async def hold(self, caller: str, seconds: float) -> AsyncIterator[None]:
        """Hold a slot, after waiting for one for so many seconds at most.

        Raises:
            GatewayBusyError: there was none.
        """
        if not self._take(caller):
            await self._wait(caller, seconds)
        try:
            yield
        finally:
            self._give_back(caller)

    async def _wait(self, caller: str, seconds: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = caller
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # it came in the moment that we left
                self._give_back(caller)
            if isinstance(error, TimeoutError):
                raise GatewayBusyError(self._busy, retry_after=5) from None
            raise
        finally:
            self._waiting.pop(turn, None)

    def _take(self, caller: str) -> bool:
        if not self._free or self._held[caller] >= self._each:
            return False
        self._free -= 1
        self._held[caller] += 1
        return True

    def _give_back(self, caller: str) -> None:
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        for turn, waiting in list(self._waiting.items()):
            if not turn.done() and self._take(waiting):
                turn.set_result(None)
                return
