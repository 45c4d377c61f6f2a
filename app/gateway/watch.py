"""Watching try-ons: one poller for each that is watched, shared by all who watch it, and gone with the last of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from app.errors import PipelineError
from app.gateway.admission.slots import Slots
from app.gateway.temporal_calls import Snapshot
from app.process.background import start

POLL_INTERVAL = 0.5
"""Seconds between two looks. A look costs Temporal about 10 ms."""

MAX_WAITS = 1000
"""So many clients may wait for an end (`?wait=`) at once. Temporal holds a call for each."""

EndT = TypeVar("EndT")


class Watches:
    """Hands out the changes of try-ons as they happen."""

    def __init__(
        self,
        look: Callable[[str], Awaitable[Snapshot]],
        interval: float = POLL_INTERVAL,
        *,
        waits: int = MAX_WAITS,
        share: float = 1.0,
    ) -> None:
        """Take the way to look at a try-on, the seconds between two looks, how many may wait, and a caller's share."""
        self._look = look
        self._interval = interval
        self._pollers: dict[str, _Poller] = {}
        self._leaving = asyncio.Event()
        self._waits = Slots(waits, share, "Too many clients wait for the end of a try-on; ask without waiting")

    @property
    def watched(self) -> int:
        """How many try-ons are being watched."""
        return len(self._pollers)

    def stop(self) -> None:
        """End every watch: the process is about to leave."""
        self._leaving.set()
        for poller in self._pollers.values():
            poller.wake()

    @property
    def waiting(self) -> int:
        """How many clients wait for nothing but the end."""
        return self._waits.held

    async def until(
        self, end: Callable[[], Awaitable[EndT]], request: Request, caller: str, seconds: float
    ) -> EndT | None:
        """Wait for an end and return it; nothing after so many seconds, or when the process is about to leave.

        Raises:
            GatewayBusyError: too many wait already, all in all or of this caller's.
            ClientDisconnect: the client left.
            PipelineError: what `end` raises.
        """
        async with self._waits.hold(caller, 0):
            ending = asyncio.ensure_future(end())
            left, leaving = asyncio.ensure_future(_left(request)), asyncio.ensure_future(self._leaving.wait())
            try:
                await asyncio.wait((ending, left, leaving), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    return ending.result()
                if left.done() and not leaving.done():
                    raise ClientDisconnect
                return None
            finally:
                for wait in (ending, left, leaving):
                    wait.cancel()
                await asyncio.gather(ending, left, leaving, return_exceptions=True)

    async def watch(self, workflow_id: str) -> AsyncGenerator[Snapshot]:
        """Yield the try-on as it is and at each change, to its end. Close the iterator when you leave it early.

        Nothing that is yielded is older than the call: who comes while others watch waits for their next look.

        Raises:
            PipelineError: a look failed.
        """
        poller = self._pollers.get(workflow_id)
        if poller is None:
            poller = self._pollers[workflow_id] = _Poller(self._look, workflow_id, self._interval)
            # One that failed or came to the end serves those who watch it, and nobody who comes later.
            poller.task.add_done_callback(partial(self._forget, workflow_id, poller))
        poller.watchers += 1
        first = poller.next_look()
        seen: Snapshot | None = None
        try:
            while not self._leaving.is_set():
                changed = poller.changed
                if poller.latest is not None and poller.latest != seen and poller.has_seen(first):
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


async def _left(request: Request) -> None:
    """Return once the client has left. What it still sends is of no interest."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Poller:
    def __init__(self, look: Callable[[str], Awaitable[Snapshot]], workflow_id: str, interval: float) -> None:
        self.latest: Snapshot | None = None
        self.error: Exception | None = None
        self.changed = asyncio.Event()
        self.watchers = 0
        self._begun = self._ended = self._awaited = 0
        """Looks: how many were begun and have ended, and the last one that somebody waits for."""
        self.task = start(self._run(look, workflow_id, interval), "watch")

    def next_look(self) -> int:
        """Return the number of the next look, and have it told whatever it shows."""
        self._awaited = self._begun + 1
        return self._awaited

    def has_seen(self, look: int) -> bool:
        """Say whether that look has been, or none comes any more."""
        return self._ended >= look or (self.latest is not None and self.latest.ended)

    def wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    async def _run(self, look: Callable[[str], Awaitable[Snapshot]], workflow_id: str, interval: float) -> None:
        while self.latest is None or not self.latest.ended:
            self._begun += 1
            try:
                snapshot = await look(workflow_id)
            except PipelineError as error:  # each watcher raises it in its own request
                self.error = error
                self.wake()
                return
            except Exception:
                self.error = PipelineError("An unexpected error")
                self.wake()
                raise  # to be told as the death that it is
            self._ended = self._begun
            changed, self.latest = snapshot != self.latest, snapshot
            if changed or self._ended <= self._awaited:
                self.wake()
            if not snapshot.ended:
                await asyncio.sleep(interval)
