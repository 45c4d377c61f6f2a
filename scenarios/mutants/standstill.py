"""A loop that no longer answers, and the code that keeps it: code that never waits would hang whoever looks at it."""

import sys
import threading
from collections.abc import Callable
from inspect import CO_COROUTINE
from pathlib import Path
from types import FrameType

LONG_S = 30.0
"""Wall seconds for which one function keeps the loop before that counts; the longest of the code as it is takes one."""
SAMPLES = 10


def watch(
    call_soon: Callable[[Callable[[], object]], object], thread: int, code: Path, kept: Callable[[str], object]
) -> None:
    """Watch a loop from a thread of its own, which ends with the process.

    Args:
        call_soon: makes the loop call something, from any thread.
        thread: the loop's.
        code: the folder of the code that is looked at.
        kept: is told once that a function of that code has kept the loop all the time, and which.
    """

    def look() -> None:
        while not (where := kept_by(call_soon, thread, code)):
            pass
        kept(f"{where} has kept the loop for {LONG_S:g} s, and waits for nothing")

    threading.Thread(target=look, name="standstill", daemon=True).start()


def kept_by(
    call_soon: Callable[[Callable[[], object]], object], thread: int, code: Path, seconds: float = LONG_S
) -> str | None:
    """Return which function of some code has kept a loop for so long; None when it answers, or was seen elsewhere."""
    answered = threading.Event()
    call_soon(answered.set)
    seen: set[str | None] = set()
    for _ in range(SAMPLES):
        if answered.wait(seconds / SAMPLES):
            threading.Event().wait(seconds / SAMPLES)
            return None
        frames = sys._current_frames()  # noqa: SLF001 - documented, and there is no other way
        seen.add(_function(frames.get(thread), code))
    return seen.pop() if len(seen) == 1 else None


def _function(frame: FrameType | None, code: Path) -> str | None:
    """Return the outermost coroutine of the code on a stack, which is the task's own."""
    found = None
    while frame:
        path = Path(frame.f_code.co_filename)
        if frame.f_code.co_flags & CO_COROUTINE and path.is_relative_to(code):
            found = f"{path.relative_to(code.parent)}: {frame.f_code.co_qualname}"
        frame = frame.f_back
    return found
