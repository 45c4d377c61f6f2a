"""A small process that outlives its supervisor by a moment: when that one dies, it kills what was left running.

It is started as a script of its own, without the project's imports. Its standard input is a pipe that only the
supervisor holds, with lines `+GROUP` for a process group that was started and `-GROUP` for one that has ended. The pipe
ends when the supervisor ends, by kill -9 too; what is still noted is then killed. Unlike Linux's PR_SET_PDEATHSIG this
covers grandchildren, does not depend on the thread that started a process, and works on macOS.
"""

import contextlib
import os
import signal
import subprocess
import sys


class Leash:
    """The supervisor's end: notes which process groups may not outlive it."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
        )

    def add(self, group: int) -> None:
        """Kill this group if the supervisor dies."""
        self._write(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget this group: it has ended, and its number may be given to others."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the keeper; it kills every group that was not removed."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()

    def _write(self, line: str) -> None:
        if self._keeper.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # somebody killed the keeper; the stack itself is well
            self._keeper.stdin.write(line)


def keep() -> None:
    """Note the groups until the pipe ends, then kill what is left."""
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    keep()
