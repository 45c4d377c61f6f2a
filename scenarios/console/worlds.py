"""Commands that the console runs for whoever presses a button: each in a process with a virtual world of its own."""

import asyncio
import sys
from collections.abc import Callable, Sequence

LIMIT_S = 180.0
"""Wall seconds for one command, the start of its world included."""


async def command(words: Sequence[str], said: Callable[[str], None]) -> int:
    """Run `python -m scenarios …`, hand on what it says as it says it, and return its exit code.

    Raises:
        TimeoutError: it was not done within the limit, and was stopped.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "scenarios", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None, "it was asked for"
    try:
        async with asyncio.timeout(LIMIT_S):
            async for line in process.stdout:
                said(line.decode(errors="replace"))
            return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
