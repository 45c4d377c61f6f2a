"""How late the event loop comes to its work: something that blocks it, or too little CPU, shows here first."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app.process.background import aside

SAMPLE_S = 0.02

log = structlog.get_logger(__name__)


@asynccontextmanager
async def loop_lag_logged(every: float | None) -> AsyncIterator[None]:
    """Log the lag's percentiles in milliseconds after every so many seconds until the block ends; None: not at all."""
    if every is None:
        yield
        return
    async with aside(_report(every), "loop lag"):
        yield


async def _report(every: float) -> None:
    while True:
        lags = []
        until = time.monotonic() + every
        while time.monotonic() < until:
            began = time.monotonic()
            await asyncio.sleep(SAMPLE_S)
            lags.append(max(0.0, time.monotonic() - began - SAMPLE_S))
        lags.sort()
        p50, p99 = (lags[int(len(lags) * share)] for share in (0.5, 0.99))
        log.info("event loop lag", p50_ms=_ms(p50), p99_ms=_ms(p99), max_ms=_ms(lags[-1]), samples=len(lags))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
