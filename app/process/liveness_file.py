"""A file that a worker keeps fresh, so that the healthcheck of a container needs neither a port nor Temporal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.process.background import beside

INTERVAL = 5.0
"""Seconds between two touches. A healthcheck that allows six times as much does not stumble over one slow decode."""


@asynccontextmanager
async def kept_fresh(file: Path | None, interval: float = INTERVAL) -> AsyncIterator[None]:
    """Touch the file now and every `interval` seconds until the block ends, then remove it. None: do nothing.

    The touching is done by the event loop that runs the activities: one that stands still lets the file grow old.

    Raises:
        OSError: the file cannot be written, on entering or, which ends the block, later: better now, with the reason,
            than by a healthcheck that finds it old.
    """
    if file is None:
        yield
        return
    file.touch()  # noqa: ASYNC240 - microseconds, here and below; in a thread it would hide a loop that stands still
    try:
        async with beside(_touching(file, interval), "liveness file"):
            yield
    finally:
        file.unlink(missing_ok=True)  # noqa: ASYNC240 - as above


async def _touching(file: Path, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        file.touch()  # noqa: ASYNC240 - as above
