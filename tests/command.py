"""A command as a user sees it: its output, its exit code, and what it leaves running."""

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil


class Command:
    """`python -m MODULE` under test, and every process that it started, whatever became of them."""

    def __init__(self, folder: Path, module: str) -> None:
        self.folder = folder
        self._module = module
        self.output = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *words: str, module: str | None = None, **environment: str) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Tests that a shell put into the background ignore Ctrl-C, and would hand that on; a terminal does not.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module or self._module,
            *words,
            cwd=self.folder,
            # TMPDIR is handed on to every process of the stack: by it we find them all, orphans too.
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(self.folder), "COLUMNS": "100"} | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def until(self, words: str | re.Pattern[str]) -> None:
        """Read the output up to a line with these words, or one that the pattern fits."""
        wanted = re.compile(re.escape(words)) if isinstance(words, str) else words
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(120):
            while not wanted.search(self.output):
                line = await self._process.stdout.readline()
                assert line, f"ended without {wanted.pattern!r}:\n{self.output}"
                self.output += line.decode()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, within: float = 120) -> int:
        """Read the rest of the output and return the exit code."""
        assert self._process is not None
        async with asyncio.timeout(within):
            rest, _ = await self._process.communicate()
        self.output += rest.decode()
        assert "Traceback" not in self.output
        assert self._process.returncode is not None
        return self._process.returncode

    async def until_started(self, words: str) -> None:
        """Wait until a process with these words in its command line runs."""
        async with asyncio.timeout(120):
            while not any(words in " ".join(process.cmdline()) for process in self.started()):  # noqa: ASYNC110 - the system knows of no waiters
                await asyncio.sleep(0.01)

    def started(self) -> list[psutil.Process]:
        """What runs with our mark."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # it is gone, or not ours to look into
                if process.environ().get("TMPDIR") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    async def nothing_left(self) -> bool:
        """Whether all are gone, which takes orphans a moment after their supervisor was killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while self.started():  # noqa: ASYNC110 - the system knows of no waiters
                    await asyncio.sleep(0.05)
        return not self.started()


@contextlib.asynccontextmanager
async def commanding(folder: Path, module: str) -> AsyncIterator[Command]:
    """Give a command, and see at the end that nothing of it is left."""
    command = Command(folder, module)
    try:
        yield command
    finally:
        if command._process is not None and command._process.returncode is None:
            command._process.kill()
            await command._process.wait()
    assert await command.nothing_left(), command.started()
