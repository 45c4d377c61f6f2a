"""What is planned for an instant of a story: it happens before all else there, and time stands until it is done.

Unless it waits for the story itself, as for the outcome of an update: then time passes for as long as it waits.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .errors import VirtualTimeError
from .loop import VirtualLoop, in_real_time
from .story import Story

_acting: ContextVar["Act | None"] = ContextVar("acting", default=None)
"""The planned act that the running code belongs to."""


class Planned:
    """Something that will happen at an instant of a story. Awaited, it lets time pass until it has happened.

    Args:
        loop: of the story.
        workflow_id: a workflow of the story.
        at: virtual seconds since the story began.
        happen: called without arguments; what it returns is awaited if it can be.
        watch: awaits a future while the workflow's time passes.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        workflow_id: str,
        at: float,
        happen: Callable[[], object],
        watch: Callable[["Planned"], Awaitable[None]],
    ) -> None:
        self.workflow_id, self.at, self.happen = workflow_id, at, happen
        self.done: asyncio.Future[None] = loop.create_future()
        self._watch = watch
        self._awaited_by: list[Act] = []

    def __await__(self) -> Generator[Any, None, None]:
        if act := _acting.get():
            self._awaited_by.append(act)
        yield from self._watch(self).__await__()

    def happens_in(self, story: Story, failed: Callable[[Exception], object]) -> "asyncio.Task[None]":
        """Happen now.

        Args:
            story: whose time stands meanwhile.
            failed: hears what went wrong, in words.
        """
        return in_real_time(self._happen(Act(story, self.at), failed))

    async def _happen(self, act: "Act", failed: Callable[[Exception], object]) -> None:
        _acting.set(act)
        try:
            result = self.happen()
            if inspect.isawaitable(result):
                await result
        except Exception as error:  # noqa: BLE001 - whoever waits gets it
            failure = VirtualTimeError(f"what was planned for {self.at:g} s of {self.workflow_id} failed: {error!r}")
            failure.__cause__ = error
            failed(failure)
            if not self.done.done():
                self.done.set_exception(failure)
                self.done.exception()  # it is told, whether somebody asks or not
        else:
            if not self.done.done():
                self.done.set_result(None)
        finally:
            for other in self._awaited_by:
                other.stands()  # before its own code can say so
            act.ends()


class Act:
    """A planned act while it happens: time stands, but for as long as the act itself waits for its story."""

    def __init__(self, story: Story, at: float) -> None:
        self.story, self._words = story, f"{at:g} s"
        self._waits, self._over = 0, False
        self._hold = story.numbered("plan", self._words)

    def ends(self) -> None:
        """It is done."""
        self._over = True
        self.story.release(self._hold)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let time pass while the act waits for its own story."""
        self._waits += 1
        self.story.release(self._hold)
        try:
            yield
        finally:
            self._waits -= 1
            if self._waits:
                self.story.release(self._hold)
            else:
                self.stands()

    def stands(self) -> None:
        """What it waited for is there: time stands again."""
        if not (self._over or self._hold in self.story.holds):
            self._hold = self.story.numbered("plan", self._words)


def acting_in() -> Story | None:
    """Return the story that the running code acts in by plan."""
    act = _acting.get()
    return act.story if act else None


@contextmanager
def waiting_for(story: Story | None) -> Iterator[None]:
    """Wait for something of a story: if a planned act of the same story does, time passes meanwhile."""
    act = _acting.get()
    if act is None or act.story is not story:
        yield
        return
    with act.waiting():
        yield
