"""Ctrl-C, `kill` and a closed terminal end a command in order, once; a second one ends it at once."""

import asyncio
import os
import select
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPING = "stopping everything (Ctrl-C again kills it)"
AGAIN_S = 0.05
"""After so many seconds it is said again where nobody heard it."""


class Stopped(KeyboardInterrupt):  # code that survives any error does not survive this, and event loops let it through
    """The work was ended by a signal, and has cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number

    def heard(self) -> None:
        """Say that it was caught for good, and not raise it again: for work that has more to do within the block."""
        signal.setitimer(signal.ITIMER_REAL, 0)


def ended_in_order(work: Callable[[], int]) -> int:
    """Do a command's work, and return its exit code: 128 and the signal's number where a signal ended it.

    Who reads what it prints may go before it is done, as `head` does: that ends it like a SIGPIPE, without a word.
    """
    try:
        with stopped_by_signals():
            exit_code = work()
        sys.stdout.flush()
    except Stopped as stopped:
        return stopped.exit_code
    except BrokenPipeError:
        if not _nobody_reads(sys.stdout.fileno()):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        return 128 + signal.SIGPIPE
    return exit_code


def _nobody_reads(descriptor: int) -> bool:
    watched = select.poll()
    watched.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in watched.poll(0))


async def until_signalled(
    work: Coroutine[None, None, T], on_signal: Callable[[], object] = lambda: sys.stderr.write(f"\n{STOPPING}\n")
) -> T:
    """Run the work; cancel it at the first signal, and once more at each further one, which a `Stack` takes as "now".

    Args:
        work: what to do; its result is returned.
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

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, receive, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Stopped(received[0]) from None
        raise
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextmanager
def stopped_by_signals(words: str = STOPPING) -> Iterator[None]:
    """Within it a signal raises Stopped in the main thread, for code that is not asynchronous; a second one kills.

    A signal may meet that thread where an exception gets lost: in a finalizer, in a library that forgets what was
    raised meanwhile. So Stopped is raised again and again, but not into what cleans up, until the block ends or what
    caught it says `heard`.

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
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        raise Stopped(number)

    def again(_number: int, _frame: FrameType | None) -> None:
        if not _is_handled():
            raise Stopped(asked[0])

    def ignored(unraisable: "UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, Stopped):
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


def _is_handled() -> bool:
    """Whether this thread is in the code that follows Stopped: a `finally`, an `except`, the end of a context."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, Stopped):
        error = error.__context__
    return error is not None
