"""The clocks that code reads by itself, on request: `time.time`, `time.monotonic` and `time.sleep` within stories.

Off by default: tokens and signatures made of `time.time` would get virtual times, and libraries compare clocks of
different stories. Pools of connections do so always, so they keep real time: else a story at its tenth minute closes
what one at its first is about to use. `from time import sleep` before this, `datetime.now()`, `Event.wait(timeout)`
and `queue.get(timeout)` stay real.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import VirtualTimeError
from .story import Story, current

POOLS = frozenset({"aiohttp", "botocore", "httpcore", "redis", "requests", "urllib3"})
"""Packages that keep connections, which are real and which stories share, and reckon their age by `time.monotonic`."""


@contextmanager
def virtual_clocks() -> Iterator[None]:
    """Make the functions of `time` virtual within stories, threads included, as long as this is open."""
    real_time, real_monotonic, real_sleep = time.time, time.monotonic, time.sleep

    def virtual_time() -> float:
        story = current.get()
        return story.base + story.now if story else real_time()

    def virtual_monotonic() -> float:
        story = current.get()
        return story.now if story and not _asked_by_a_pool() else real_monotonic()

    def virtual_sleep(seconds: Any) -> None:
        story = current.get()
        if story is None:
            real_sleep(seconds)
        else:
            _nap(story, seconds)

    time.time, time.monotonic, time.sleep = virtual_time, virtual_monotonic, virtual_sleep
    try:
        yield
    finally:
        time.time, time.monotonic, time.sleep = real_time, real_monotonic, real_sleep


def _asked_by_a_pool() -> bool:
    module = str(sys._getframe(2).f_globals.get("__name__"))  # noqa: SLF001 - inspect has no cheaper way than this one
    return module.partition(".")[0] in POOLS


def _nap(story: Story, seconds: float) -> None:
    """Let a thread sleep in its story's time.

    Raises:
        VirtualTimeError: it is the loop's own thread.
    """
    if story.loop.is_own_thread(threading.get_ident()):
        raise VirtualTimeError("time.sleep in a coroutine would stop every activity of the worker: use asyncio.sleep")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    woken = threading.Event()

    def wake() -> None:
        story.naps.discard(woken)
        woken.set()

    def fall_asleep() -> None:
        story.naps.add(woken)
        story.call_at(story.now + seconds, wake)

    story.loop.call_soon_threadsafe(fall_asleep)
    try:
        woken.wait()
    finally:  # a cancellation is raised in the thread
        story.loop.call_soon_threadsafe(story.naps.discard, woken)
