"""Where pictures are decoded and encoded: in threads, as many pixels at once as memory allows."""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

SLOT_MEGAPIXELS = 12
"""What one slot holds: the photo of an ordinary phone. A larger one takes several, or all that there are."""

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class DecodePool:
    """A limited number of pixels at once, first come first served, and a limited number of files around them."""

    def __init__(self, slots: int, *, files: int) -> None:
        """Take `slots` of 12 megapixels each, and how many files may be held: read, looked at or being written."""
        self._megapixels = slots * SLOT_MEGAPIXELS
        self._free = asyncio.Semaphore(self._megapixels)
        self._turn = asyncio.Lock()
        self.files = asyncio.Semaphore(files)

    async def work(self, pixels: int, function: Callable[P, ResultT], /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        """Call a function on a picture of so many pixels in a thread, once there is room for it.

        A thread cannot be stopped: whoever is cancelled leaves at once, but the room is taken until the thread is done.
        """
        share = min(self._megapixels, max(1, math.ceil(pixels / 1_000_000)))
        taken = 0
        try:
            async with self._turn:  # or two large ones would each hold half of the room and wait for the other
                while taken < share:
                    await self._free.acquire()
                    taken += 1
        except BaseException:
            self._give_back(taken)
            raise
        running = asyncio.get_running_loop().run_in_executor(None, partial(function, *args, **kwargs))
        running.add_done_callback(lambda _: self._give_back(share))
        return await asyncio.shield(running)

    def _give_back(self, share: int) -> None:
        for _ in range(share):
            self._free.release()
