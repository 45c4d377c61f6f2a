"""Those who wait for a story: time passes for it only while there is one. And the leash that ends a wait in vain."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .errors import SilenceError, VirtualTimeError, WaitsForEverError
from .loop import in_real_time
from .story import Story

T = TypeVar("T")

TICK_S = 0.1
"""Wall seconds between two looks at the stories that somebody waits for."""
NOTHING_S = 2.0
"""Wall seconds after which a story in which nothing can happen is given up: somebody outside may be about to act."""
LOST_S = 12.0
"""Wall seconds after which a task that has not come may be lost: the server gives itself ten to hand one over.

While other stories go on it may only be slow to come, on a machine that is busy with them: twice as long then.
"""
DEBUGGERS = ("bdb", "pdb", "pydevd", "debugpy", "_pydevd_bundle")


class Waits:
    """The waits for stories.

    Args:
        patience: wall seconds without anything happening after which a wait ends in an error. Time in which the loop
            stands at a breakpoint does not count.
        redeliver: asks the server for what it lost on its way to a story that is stuck.
        to_come: asks the server whether it has something for a story in which nothing can happen.
    """

    def __init__(
        self,
        patience: float,
        redeliver: Callable[[Story], Awaitable[None]],
        to_come: Callable[[Story], Awaitable[bool]],
    ) -> None:
        self.patience, self._redeliver, self._to_come = patience, redeliver, to_come
        self._waits: dict[asyncio.Future[None], tuple[str, Callable[[Story], bool]]] = {}
        self._stories: dict[str, Story] = {}
        self._stuck: dict[Story, tuple[int, float]] = {}
        self._asked: dict[Story, tuple[int, int]] = {}
        """The pulse of a story's standstill, and how often the server has been asked in it."""
        self._leash: asyncio.Task[None] | None = None
        self.in_vain: tuple[str, BaseException] | None = None
        """Why nobody need wait for anything, while that is so."""

    def waited_for(self, story: Story) -> bool:
        """Say whether somebody waits for something of a story that time has to pass for."""
        return any(name in story.workflow_ids and needs_time(story) for name, needs_time in self._waits.values())

    async def watched(
        self, workflow_id: str, story: Story | None, work: Awaitable[T], needs_time: Callable[[Story], bool]
    ) -> T:
        """Await something that needs a workflow's time to pass.

        Args:
            workflow_id: the workflow's.
            story: its story, if it is known already.
            work: what is awaited.
            needs_time: says whether time still has to pass for it.

        Raises:
            VirtualTimeError: it waits in vain; the message says for what.
        """
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.in_vain:
            failed.set_exception(_ended(workflow_id, *self.in_vain))
        self._waits[failed] = (workflow_id, needs_time)
        if story:
            self._stories[workflow_id] = story
        if self._leash is None or self._leash.done():
            self._leash = in_real_time(self._hold_leash())
            self._leash.add_done_callback(self._leash_ends)
        task: asyncio.Future[T] = asyncio.ensure_future(work)
        try:
            both: set[asyncio.Future[Any]] = {task, failed}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                failed.result()
            return await task
        finally:
            del self._waits[failed]
            task.cancel()
            failed.cancel()

    def meets(self, story: Story) -> None:
        """A story has got a workflow."""
        for workflow_id in story.workflow_ids:
            self._stories[workflow_id] = story

    def forget(self, workflow_id: str) -> None:
        """A workflow is no longer asked for."""
        self._stories.pop(workflow_id, None)

    def fail(self, story: Story, error: Exception) -> None:
        """End every wait for a story in an error."""
        for failed, (workflow_id, _) in list(self._waits.items()):
            if workflow_id in story.workflow_ids and not failed.done():
                failed.set_exception(error)

    def _leash_ends(self, leash: asyncio.Task[None]) -> None:
        """Let nobody wait for ever when it breaks."""
        if not leash.cancelled() and (error := leash.exception()):
            self._end_all(f"what watches over waits broke: {type(error).__name__}: {error}", error)

    def end(self, why: str, error: BaseException) -> None:
        """End every wait, and those to come until there is a worker again."""
        self.in_vain = why, error
        self._end_all(why, error)

    def _end_all(self, why: str, error: BaseException) -> None:
        for failed, (workflow_id, _) in self._waits.items():
            if not failed.done():
                failed.set_exception(_ended(workflow_id, why, error))

    async def _hold_leash(self) -> None:
        loop = asyncio.get_running_loop()
        looked = loop.time()
        while self._waits:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            passed, looked = min(now - looked, 2 * TICK_S), now  # at a breakpoint the loop stands
            waited = {story for name, _ in self._waits.values() if (story := self._stories.get(name))}
            self._stuck = {story: since for story, since in self._stuck.items() if story in waited}
            self._asked = {story: asked for story, asked in self._asked.items() if story in waited}
            # Side by side: each may ask the server, and a round counts as one tick however long it takes.
            await asyncio.gather(*(self._look(story, passed) for story in waited))

    async def _look(self, story: Story, passed: float) -> None:
        pulse, stuck = self._stuck.get(story, (story.pulse, 0.0))
        stuck = stuck + passed if pulse == story.pulse else 0.0
        self._stuck[story] = (story.pulse, stuck)
        period = min(self.patience, NOTHING_S)
        if stuck < period or (len(story.threads) > len(story.naps) and _debugged()):
            return
        times = int(stuck // (LOST_S if self._all_still() else 2 * LOST_S))
        asked_at, asked = self._asked.get(story, (pulse, 0))
        if times > (asked if asked_at == pulse else 0):
            self._asked[story] = (pulse, times)  # again later: a server that stands still says nothing now
            await self._redeliver(story)
        said = story.waits_for()
        if said is None and not story.can_happen() and story.open_runs:
            asks_now = stuck // period > (stuck - passed) // period
            if stuck < self.patience and (not asks_now or await self._to_come(story)):
                return
            waits_on = " or ".join(sorted({each for each in story.waits_on.values() if each}))
            self.fail(
                story,
                WaitsForEverError(
                    f"{story.name} waits for ever: {waits_on or 'nothing that it waits for can happen'}. It stands at "
                    f"{story.now:g} s; no activity runs, no timer is set and nothing is planned"
                ),
            )
        elif stuck >= self.patience:
            said = said or ("its code, which is at work all the time" if story.can_happen() else "the server's answer")
            self.fail(
                story,
                SilenceError(
                    f"{story.name} waits for: {said}, since {stuck:.0f} s. It stands at {story.now:g} s; wall time "
                    f"that it may take is set by VirtualTime(patience={self.patience:g})"
                ),
            )

    def _all_still(self) -> bool:
        return all(stuck >= LOST_S for _, stuck in self._stuck.values())


def _ended(workflow_id: str, why: str, error: BaseException) -> VirtualTimeError:
    ended = VirtualTimeError(f"{workflow_id} waits in vain: {why}")
    ended.__cause__ = error
    return ended


def _debugged() -> bool:
    """Say whether a thread stands in a debugger."""
    for frame in sys._current_frames().values():  # noqa: SLF001 - documented, in spite of its name
        each = frame
        while each is not None:
            if each.f_globals.get("__name__", "").split(".")[0] in DEBUGGERS:
                return True
            each = each.f_back  # type: ignore[assignment]
    return False
