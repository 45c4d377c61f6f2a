"""Ctrl-C, `kill` and a closed terminal end a command in order, once; a second one ends it at once."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - it is no error: somebody asked for it
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

    Args:
        words: what to tell the user at the first signal, on the standard error.

    Raises:
        Stopped: a signal came; what the block's contexts hold has been cleaned up.
    """

    def receive(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        os.write(2, f"{words}\n".encode())  # the signal may have come while the stream itself was written to
        raise Stopped(number)

    before = {number: signal.signal(number, receive) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
