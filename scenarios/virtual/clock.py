"""The clock of a story: it jumps to its earliest timer when nothing keeps it where it is.

Code that waits keeps nothing; real I/O in flight does, and whatever is on its way between worker and server (a hold).
Only the loop's thread touches it.
"""

import asyncio
import heapq
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from itertools import count
from math import isfinite
from typing import Any

from .holds import WORDS, Hold
from .internals import TurningLoop


class Clock(ABC):
    """Virtual seconds, timers, and what keeps them from passing.

    Attributes:
        now: virtual seconds since it began.
        pulse: grows with whatever happens: a clock whose pulse stands still is stuck.
        settled_at: real time until which an answer on a connection may go on.
        local: how many local activities run.
    """

    def __init__(self, loop: TurningLoop) -> None:
        self.loop, self.now = loop, 0.0
        self.pulse = self.local = self.plans = 0
        self.holds: set[Hold] = set()
        self.io: Counter[str] = Counter()
        self.connections: dict[object, str] = {}
        self.threads: dict[object, str] = {}
        self.naps: set[threading.Event] = set()
        self.settled_at = self._woken_at = 0.0
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = count()
        self._planned: set[asyncio.TimerHandle] = set()
        self._happening = False

    def beat(self) -> None:
        """Say that something happens: it is not stuck."""
        self.pulse += 1

    # ---------------------------------------------------------------- timers
    def plan(self, when: float, happens: Callable[..., object], *args: Any) -> None:
        """Let something happen from outside: before all else at its instant, and all else waits until it is heard."""
        self.plans += 1
        self._planned.add(self.call_at(when, happens, *args, context=Context()))

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer at an instant of this story."""
        handle = asyncio.TimerHandle(when, callback, args, self.loop, context)
        heapq.heappush(self._heap, (when, next(self._order), handle))
        self.loop.stories.add(self)
        return handle

    def advance(self) -> None:
        """Hand due timers to the loop; jump to the earliest if nothing keeps this story where it is."""
        heap = self._heap
        while heap and heap[0][2].cancelled():
            heapq.heappop(heap)
        if not heap:
            self.loop.stories.discard(self)
            return
        if heap[0][0] > self.now:
            if not isfinite(heap[0][0]) or not self._may_jump():
                return
            self.now = heap[0][0]
            self.pulse += 1
        elif self._happening and self.holds:
            return
        self._happening = False
        due = (entry for entry in heap if entry[0] <= self.now and entry[2] in self._planned)
        planned = min(due, default=None) if self._planned else None
        if planned:
            self._planned.discard(planned[2])
            self._happening = True
            heap.remove(planned)
            heapq.heapify(heap)
            self.loop.make_ready(planned[2])
            return
        while heap and heap[0][0] <= self.now:
            self.loop.make_ready(heapq.heappop(heap)[2])

    def at_work(self) -> bool:
        """Say whether real I/O or threads of this story are busy."""
        return bool(self.io or self.connections) or len(self.threads) > len(self.naps)

    def held(self) -> bool:
        """Say whether something is on its way."""
        if not self.local:
            return bool(self.holds)
        # A local activity runs inside a workflow task: whatever else comes has to wait for its end anyway.
        return any(hold.kind == "local" for hold in self.holds)

    @abstractmethod
    def may_pass(self) -> bool:
        """Say whether there is a reason for time to pass, and somebody waits for it."""

    def _may_jump(self) -> bool:
        if self.at_work() or self.held() or not self.may_pass():
            return False
        now = self.loop.real_time()
        if self.settled_at > now and not now < self._woken_at <= self.settled_at:
            self._woken_at = self.settled_at
            self.loop.wake_at(self.settled_at)
        return self.settled_at <= now

    # ---------------------------------------------------------------- what keeps it where it is
    def hold(self, hold: Hold) -> None:
        """Let time stand still until this is released."""
        self.pulse += 1
        self.holds.add(hold)

    def release(self, hold: Hold | None) -> None:
        """Something has arrived."""
        self.pulse += 1
        self.holds.discard(hold)

    def numbered(self, kind: str, of: str) -> Hold:
        """Hold for one message among several of its kind to the same workflow."""
        hold = Hold(kind, of, next(self._order))
        self.hold(hold)
        return hold

    @contextmanager
    def real_io(self, what: str) -> Iterator[None]:
        """Count real I/O: no virtual time passes meanwhile."""
        self.pulse += 1
        self.io[what] += 1
        try:
            yield
        finally:
            self.pulse += 1
            self.io[what] -= 1
            if not self.io[what]:
                del self.io[what]

    # ---------------------------------------------------------------- what it waits for, in words
    def waits_for(self) -> str | None:
        """Say what keeps this story where it is; None when nothing does."""
        if self.io:
            return ", ".join(self.io)
        if self.connections:
            return ", ".join(sorted(set(self.connections.values())))
        if len(self.threads) > len(self.naps):
            return ", ".join(sorted(set(self.threads.values())))
        if self.held():
            return "; ".join(WORDS[hold.kind].format(**hold._asdict()) for hold in sorted(self.holds, key=str))
        return None
