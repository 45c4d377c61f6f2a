"""What the attempts of several workflows share within a process: semaphores and locks of asyncio.

Stories do not live at the same time, so none can wait for another's hours. A semaphore limits each story by itself, as
if it had the worker alone. A lock protects something real, so it stays one: who waits while another story has it, or is
about to, lets no time pass. Outside all stories both are what they always were.
"""

import asyncio
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

from .internals import value_of
from .story import Story, current

_INITIAL, _SHADOWS = "_virtual_initial", "_virtual_shadows"
_HOLDER, _LINE = "_virtual_holder", "_virtual_line"
_init = asyncio.Semaphore.__init__
_acquire, _release, _locked = asyncio.Semaphore.acquire, asyncio.Semaphore.release, asyncio.Semaphore.locked
_bounded_release = asyncio.BoundedSemaphore.release
_lock, _unlock = asyncio.Lock.acquire, asyncio.Lock.release


def divide() -> None:
    """Make asyncio's semaphores and locks know stories. Said twice it does no harm."""
    asyncio.Semaphore.__init__ = _made  # type: ignore[method-assign]
    asyncio.Semaphore.acquire = _acquired  # type: ignore[method-assign]
    asyncio.Semaphore.release = _released  # type: ignore[method-assign]
    asyncio.Semaphore.locked = _is_locked  # type: ignore[method-assign]
    asyncio.BoundedSemaphore.release = _released  # type: ignore[method-assign]
    asyncio.Lock.acquire = _locks  # type: ignore[method-assign]
    asyncio.Lock.release = _unlocks  # type: ignore[method-assign]


class _OfStory(asyncio.Semaphore):
    """What one story may have of a semaphore."""

    acquire, release, locked = _acquire, _release, _locked


class _BoundedOfStory(_OfStory, asyncio.BoundedSemaphore):
    """The same of one that may not be released too often."""

    release = _bounded_release


def _made(self: asyncio.Semaphore, value: int = 1) -> None:
    _init(self, value)
    setattr(self, _INITIAL, value)


def _of_story(semaphore: asyncio.Semaphore) -> asyncio.Semaphore:
    """Return the semaphore of the current story, which is the one itself outside all."""
    story = current.get()
    if story is None:
        return semaphore
    shadows: WeakKeyDictionary[Story, asyncio.Semaphore] = semaphore.__dict__.setdefault(_SHADOWS, WeakKeyDictionary())
    if story not in shadows:
        kind = _BoundedOfStory if isinstance(semaphore, asyncio.BoundedSemaphore) else _OfStory
        # One that was made before this module was imported has its first value still, if nobody holds it.
        shadows[story] = kind(getattr(semaphore, _INITIAL, value_of(semaphore)))
    return shadows[story]


async def _acquired(self: asyncio.Semaphore) -> Any:
    own = _of_story(self)
    return await (_acquire(self) if own is self else own.acquire())


def _released(self: asyncio.Semaphore) -> None:
    own = _of_story(self)
    if own is not self:
        own.release()
    elif isinstance(self, asyncio.BoundedSemaphore):
        _bounded_release(self)
    else:
        _release(self)


def _is_locked(self: asyncio.Semaphore) -> bool:
    return _locked(_of_story(self))


class _InLine:
    """One who waits for a lock."""

    def __init__(self, story: Story | None) -> None:
        self.story = story
        self._stands = ExitStack()
        self._still = False

    def waits_behind(self, owner: Story | None) -> None:
        """Let no time pass as long as somebody else has the lock."""
        still = self.story is not None and self.story is not owner
        if still and self.story and not self._still:
            self._stands.enter_context(self.story.real_io("a lock that another story holds"))
        elif not still:
            self._stands.close()
        self._still = still


async def _locks(self: asyncio.Lock) -> Any:
    me = _InLine(current.get())
    line: list[_InLine] = self.__dict__.setdefault(_LINE, [])
    line.append(me)
    try:
        _told(self)
        taken = await _lock(self)
        setattr(self, _HOLDER, me.story)
    finally:
        line.remove(me)
        me.waits_behind(me.story)
        _told(self)
    return taken


def _unlocks(self: asyncio.Lock) -> None:
    _unlock(self)
    _told(self)


def _told(lock: asyncio.Lock) -> None:
    """Tell those in line who has the lock: once it is free the first of them, as good as."""
    line: list[_InLine] = lock.__dict__.get(_LINE, [])
    for each in line:
        each.waits_behind(getattr(lock, _HOLDER, None) if lock.locked() else line[0].story)
