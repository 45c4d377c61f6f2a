"""What the attempts of several workflows share within a process: semaphores and locks of asyncio.

Stories do not live at the same time, so none can wait for another's hours. A semaphore limits each story by itself, as
if it had the worker alone. A lock protects something real, so it stays one: who waits while another story holds it lets
no time pass. Outside all stories both are what they always were.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from .internals import value_of
from .story import Story, current

_INITIAL, _SHADOWS, _HOLDER = "_virtual_initial", "_virtual_shadows", "_virtual_holder"
_init = asyncio.Semaphore.__init__
_acquire, _release, _locked = asyncio.Semaphore.acquire, asyncio.Semaphore.release, asyncio.Semaphore.locked
_bounded_release = asyncio.BoundedSemaphore.release
_lock = asyncio.Lock.acquire


def divide() -> None:
    """Make asyncio's semaphores and locks know stories. Said twice it does no harm."""
    asyncio.Semaphore.__init__ = _made  # type: ignore[method-assign]
    asyncio.Semaphore.acquire = _acquired  # type: ignore[method-assign]
    asyncio.Semaphore.release = _released  # type: ignore[method-assign]
    asyncio.Semaphore.locked = _is_locked  # type: ignore[method-assign]
    asyncio.BoundedSemaphore.release = _released  # type: ignore[method-assign]
    asyncio.Lock.acquire = _locks  # type: ignore[method-assign]


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


async def _locks(self: asyncio.Lock) -> Any:
    story = current.get()
    if story is None or not self.locked() or getattr(self, _HOLDER, None) is story:
        taken = await _lock(self)
    else:
        with story.real_io("a lock that another story holds"):
            taken = await _lock(self)
    setattr(self, _HOLDER, story)
    return taken
