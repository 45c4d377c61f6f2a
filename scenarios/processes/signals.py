"""Ctrl-C, `kill` and a closed terminal end a command in order, once; a second one ends it at once."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_S = 0.01
"""After so many seconds it is said again where nobody could hear it."""


class Stopped(BaseException):  # as KeyboardInterrupt: code that survives any error does not survive this
    """The work was ended by a signal, and has cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


async def until_signalled(work: Coroutine[None, None, int], on_signal: Callable[[], None]) -> int:
    """Run the work; cancel it at the first signal, and once more at each further one, which a `Stack` takes as "now".

    Args:
        work: returns an exit code.
        on_signal: called at the first signal, to tell the user.

    Raises:
        Stopped: a signal came, and the work has ended since.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    received: list[int] = []

    def receive(number: int) -> None:
        if not received:
            on_signal()
        received.append(number)
        task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, receive, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def stopped_by_signals(words: str) -> Iterator[None]:
    """Within it a signal raises Stopped in the main thread, for code that is not asynchronous; a second one kills.

    A signal may meet that thread in a finalizer or a weak reference's callback, where Python prints an error and goes
    on: then Stopped is raised again, until it meets it somewhere else.

    Args:
        words: what to tell the user at the first signal, on the standard error.

    Raises:
        Stopped: a signal came; what the block's contexts hold has been cleaned up.
    """
    asked: list[int] = []

    def receive(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        os.write(2, f"{words}\n".encode())  # the signal may have come while the stream itself was written to
        asked.append(number)
        raise Stopped(number)

    def again(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Stopped(asked[0])

    def ignored(unraisable: "UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, Stopped):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
        else:
            hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, ignored
    before = {number: signal.signal(number, receive) for number in SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, again)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
