"""Who keeps a loop from going on is named, and nobody who only works for a while or waits."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scenarios.mutants.standstill import kept_by

CODE = Path(__file__).parent
SHORT_S = 0.5


async def _waits_for_nothing(until: threading.Event) -> None:
    while not until.is_set():
        time.sleep(0.001)  # noqa: ASYNC251 - the defect


async def _waits(until: threading.Event) -> None:
    while not until.is_set():  # noqa: ASYNC110 - it is an event of another thread
        await asyncio.sleep(0.001)


@contextmanager
def _loop_with(
    work: Callable[[threading.Event], Coroutine[None, None, None]],
) -> Iterator[tuple[asyncio.AbstractEventLoop, int]]:
    loop, until, begun = asyncio.new_event_loop(), threading.Event(), threading.Event()

    loop.call_soon(begun.set)
    thread = threading.Thread(target=lambda: loop.run_until_complete(work(until)))
    thread.start()
    try:
        assert begun.wait(5)
        assert thread.ident
        yield loop, thread.ident
    finally:
        until.set()
        thread.join()
        loop.close()


@pytest.mark.parametrize(
    ("work", "code", "kept"),
    [
        (_waits_for_nothing, CODE, "mutants/test_standstill.py: _waits_for_nothing"),
        (_waits_for_nothing, CODE / "elsewhere", None),
        (_waits, CODE, None),
    ],
)
def test_who_keeps_a_loop_is_named(
    work: Callable[[threading.Event], Coroutine[None, None, None]], code: Path, kept: str | None
) -> None:
    with _loop_with(work) as (loop, thread):
        said = kept_by(loop.call_soon_threadsafe, thread, code, SHORT_S)
    assert said == kept
