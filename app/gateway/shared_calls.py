"""Calls that are asked for by many at once, made once: a thousand who look at one try-on cost Temporal one look."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

AnswerT = TypeVar("AnswerT")


class SharedCalls(Generic[AnswerT]):
    """Calls by key. Who asks while a call is under way shares the next one: no answer is older than its question."""

    def __init__(self, ask: Callable[[str], Awaitable[AnswerT]]) -> None:
        """Take what makes one call."""
        self._ask = ask
        self._running: dict[str, _Call[AnswerT]] = {}
        self._next: dict[str, _Call[AnswerT]] = {}

    async def __call__(self, key: str) -> AnswerT:
        """Return the answer of a call that begins now or later. It is given up when all who wait for it have left.

        Raises:
            Exception: what the call raised, to each who waits for it.
        """
        call = self._next.get(key)
        if call is None:
            call = self._next[key] = _Call()
            call.task = asyncio.create_task(self._make(key, call), name="a shared call")
        call.callers += 1
        try:
            return await asyncio.shield(call.task)
        finally:
            call.callers -= 1
            if not call.callers:
                call.task.cancel()
                self._forget(self._next, key, call)

    async def _make(self, key: str, call: "_Call[AnswerT]") -> AnswerT:
        try:
            while (before := self._running.get(key)) is not None:
                await asyncio.wait([before.task])
        finally:
            self._forget(self._next, key, call)
        self._running[key] = call
        try:
            return await self._ask(key)
        finally:
            self._forget(self._running, key, call)

    def _forget(self, calls: "dict[str, _Call[AnswerT]]", key: str, call: "_Call[AnswerT]") -> None:
        if calls.get(key) is call:
            del calls[key]


class _Call(Generic[AnswerT]):
    task: asyncio.Task[AnswerT]
    callers = 0
