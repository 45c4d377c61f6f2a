"""Watching try-ons: one poller for each that is watched, shared by all who watch it, and gone with the last of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from app.errors import PipelineError
from app.gateway.tryons import Snapshot

POLL_INTERVAL = 0.5
"""Seconds between two looks. A look costs Temporal about 10 ms."""

EndT = TypeVar("EndT")


class Watches:
    """Hands out the changes of try-ons as they happen. `waiting` counts those who wait for nothing but the end."""

    def __init__(self, look: Callable[[str], Awaitable[Snapshot]], interval: float = POLL_INTERVAL) -> None:
        """Take the way to look at a try-on, and the seconds between two looks."""
        self._look = look
        self._interval = interval
        self._pollers: dict[str, _Poller] = {}
        self._leaving = asyncio.Event()
        self.waiting = 0

    @property
    def watched(self) -> int:
        """How many try-ons are being watched."""
        return len(self._pollers)

    def stop(self) -> None:
        """End every watch: the process is about to leave."""
        self._leaving.set()
        for poller in self._pollers.values():
            poller.wake()

    async def until(self, end: Coroutine[Any, Any, EndT], seconds: float) -> EndT | None:
        """Wait for an end and return it; nothing after so many seconds, or when the process is about to leave.

        Whatever `end` raises comes out.
        """
        self.waiting += 1
        waiting, leaving = asyncio.create_task(end), asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait((waiting, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            self.waiting -= 1
            waiting.cancel()
            leaving.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)

    async def watch(self, workflow_id: str) -> AsyncGenerator[Snapshot]:
        """Yield the try-on as it is and at each change, to its end. Close the iterator when you leave it early.

        Raises:
            PipelineError: a look failed.
        """
        poller = self._pollers.get(workflow_id)
        if poller is None:
            poller = self._pollers[workflow_id] = _Poller(self._look, workflow_id, self._interval)
            # One that failed or came to the end serves those who watch it, and nobody who comes later.
            poller.task.add_done_callback(partial(self._forget, workflow_id, poller))
        poller.watchers += 1
        seen: Snapshot | None = None
        try:
            while not self._leaving.is_set():
                changed = poller.changed
                if poller.latest is not None and poller.latest != seen:
                    seen = poller.latest
                    yield seen
                elif poller.error is not None:
                    raise poller.error
                else:
                    await changed.wait()
                if seen is not None and seen.ended:
                    return
        finally:
            poller.watchers -= 1
            if not poller.watchers:
                poller.task.cancel()
                self._forget(workflow_id, poller)

    def _forget(self, workflow_id: str, poller: "_Poller", _task: object = None) -> None:
        if self._pollers.get(workflow_id) is poller:
            del self._pollers[workflow_id]


class _Poller:
    def __init__(self, look: Callable[[str], Awaitable[Snapshot]], workflow_id: str, interval: float) -> None:
        self.latest: Snapshot | None = None
        self.error: Exception | None = None
        self.changed = asyncio.Event()
        self.watchers = 0
        self.task = asyncio.create_task(self._run(look, workflow_id, interval), name=f"watch {workflow_id}")

    def wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    async def _run(self, look: Callable[[str], Awaitable[Snapshot]], workflow_id: str, interval: float) -> None:
        while self.latest is None or not self.latest.ended:
            try:
                snapshot = await look(workflow_id)
            except Exception as error:  # noqa: BLE001 - each watcher raises it in its own request
                self.error = error if isinstance(error, PipelineError) else PipelineError("An unexpected error")
                self.wake()
                return
            if snapshot != self.latest:
                self.latest = snapshot
                self.wake()
            if not snapshot.ended:
                await asyncio.sleep(interval)
