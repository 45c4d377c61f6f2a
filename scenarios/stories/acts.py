"""When a user does something beside starting a try-on and looking at it: after the start, at an instant, at the end."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from scenarios.scenario import UNREAD, Act, Scenario

LONG = {"wait", "wait_through", "crowd", "events", "events_anew", "events_late"}
"""Acts that take as long as the try-on does, or for which it does not stand still."""


@dataclass(frozen=True)
class Answered:
    """What an act was answered.

    Attributes:
        act: what was done, and when.
        http_status: of the answer.
        status: the try-on's, where the answer says one.
        code: of the error, where it is one.
        own: whether the answer names this try-on and no other.
        place: progress and step, where it runs.
        events: for a stream each event's name, and the progress and step that it says, in their order.
        more: the HTTP status of a stream that is taken up after its end.
        pages: for each origin what its page was let read.
        known: of a wait the progress that others were told before it was over.
        again_after: when to come again, as a header says it.
    """

    act: Act
    http_status: int
    status: str | None
    code: str | None
    own: bool
    place: tuple[int, str] | None = None
    events: tuple[tuple[str, int | None, str | None], ...] = ()
    more: int | None = None
    pages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: int = 0
    again_after: str | None = None


class Start(NamedTuple):
    """The request of a start. Its Idempotency-Key is among the headers; spaces fill its body up to its size."""

    body: dict[str, Any]
    headers: dict[str, str]
    size: int = 0

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body).encode().ljust(self.size)


class Acts:
    """What the user does in one run. `do_it` does one thing and returns what it was answered."""

    def __init__(self, scenario: Scenario, do_it: Callable[[Act], Coroutine[Any, Any, Answered]]) -> None:
        self._acts = scenario.acts
        self._do_it = do_it
        self._doing: dict[int, asyncio.Task[Answered]] = {}

    def timed(self) -> list[Act]:
        """Return those that are at an instant."""
        return [act for act in self._acts if not isinstance(act.at, str)]

    def begin(self, at: str) -> None:
        """Begin those that are then. Those that go alone wait for the others' answers."""
        for act in self._acts:
            if act.at == at and act.do not in UNREAD:
                self._begin(act)

    def begin_in_time(self) -> None:
        """Begin those that are at an instant, each in its time, which is real."""
        for act in self.timed():
            self._begin(act, wait_s=float(act.at))

    async def do(self, act: Act) -> None:
        """Do one at its virtual instant. All else waits, but for the end of what takes as long as the try-on does."""
        doing = self._begin(act)
        if act.do not in LONG:
            await doing

    def _begin(self, act: Act, wait_s: float = 0.0) -> "asyncio.Task[Answered]":
        async def later() -> Answered:
            await asyncio.sleep(wait_s)
            return await self._do_it(act)

        place = next(n for n, each in enumerate(self._acts) if each is act)
        self._doing[place] = asyncio.create_task(later() if wait_s else self._do_it(act))
        return self._doing[place]

    async def answers(self) -> list[Answered]:
        """Return what all that was begun is answered, in the scenario's order."""
        for task in self._doing.values():
            await task
        for act in self._acts:
            if act.do in UNREAD:
                await self._begin(act)
        return [await self._doing[place] for place in sorted(self._doing)]

    def stop(self) -> None:
        """Give up what goes on."""
        for task in self._doing.values():
            task.cancel()
