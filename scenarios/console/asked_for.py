"""The last things that were asked for from the console, each made by a task of its own."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from scenarios.console.fakes import UnknownError

T = TypeVar("T")
KEPT = 20


class AskedFor(Generic[T]):
    """What was asked for, by number or name, as an async context: what is under way is given up at its end.

    Args:
        what: one of them, in a word.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def begin(self, number: str, made: T, making: Coroutine[Any, Any, None]) -> T:
        """Keep one, drop the oldest, and let it be made."""
        self._kept[number] = made
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        task = asyncio.create_task(making, name=number)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return made

    def find(self, number: str) -> T:
        """Return one.

        Raises:
            UnknownError: there is none of that number, or it is long ago.
        """
        if number not in self._kept:
            raise UnknownError(f"there is no {self._what} {number!r}; the last {KEPT} are kept")
        return self._kept[number]
