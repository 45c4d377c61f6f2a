"""Takes up Temporal's API key and TLS files when they change, so that a rotation needs no restart."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from temporalio.client import Client

from app.process.background import aside
from app.process.temporal import API_KEY_FILE

FILES = (
    API_KEY_FILE,
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
)
"""The variables that name files."""

INTERVAL = 30.0
"""Seconds between two looks at them."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def credentials_followed(
    reconnect: Callable[[], Awaitable[Client]], use: Callable[[Client], None], interval: float = INTERVAL
) -> AsyncIterator[None]:
    """Until the block ends: when one of the files changes, make a new connection and hand it on.

    While that cannot be had, as between the writing of a certificate and that of its key, the old one goes on.

    Args:
        reconnect: makes a client of what the files hold now.
        use: takes it; calls that are under way end by the old one.
        interval: seconds between two looks.
    """
    files = [Path(os.environ[name]) for name in FILES if os.environ.get(name)]
    if not files:
        yield
        return
    taken = await asyncio.to_thread(_digest, files)
    async with aside(_follow(files, taken, reconnect, use, interval), "temporal credentials"):
        yield


async def _follow(
    files: list[Path],
    taken: str | None,
    reconnect: Callable[[], Awaitable[Client]],
    use: Callable[[Client], None],
    interval: float,
) -> None:
    while True:
        await asyncio.sleep(interval)
        found = await asyncio.to_thread(_digest, files)
        if found in {taken, None}:
            continue
        try:
            use(await reconnect())
        except Exception as error:  # noqa: BLE001 - whatever it is, the old connection may still do
            log.warning("Temporal's new credentials cannot be used yet", reason=str(error))
        else:
            taken = found
            log.info("Temporal's new credentials are used")


def _digest(files: list[Path]) -> str | None:
    """Return a digest of what the files hold; None while one is not there, as in the middle of its replacement."""
    try:
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    except OSError:
        return None
