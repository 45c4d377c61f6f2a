"""Admission: so many bodies are in memory at once, and further ones wait in the network until there is a place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from app.errors.request import BodyTimeoutError, BodyTooLargeError
from app.gateway.admission.slots import Slots
from app.settings import Settings

SLOWEST = 64 * 1024
"""Bytes a second that a body brings at least, after the grace. A slower sender would keep others from their slots."""


class Bodies:
    """Reads request bodies, each within one of a limited number of slots, which callers share."""

    def __init__(self, settings: Settings) -> None:
        """Take the limits: bytes of a body, slots, and seconds to wait for either."""
        self._max_bytes = settings.max_body_bytes
        self._too_large = f"The body is larger than {settings.max_body_mb:g} MiB, the most that is taken"
        self._timeout = settings.body_timeout_s
        self._grace = settings.body_grace_s
        self._slots = Slots(
            settings.body_slots, settings.caller_share, "Too many uploads at once; try again in a moment"
        )

    @property
    def reading(self) -> int:
        """How many slots are taken."""
        return self._slots.held

    @asynccontextmanager
    async def slot(self, request: Request, caller: str) -> AsyncIterator[None]:
        """Hold a slot; nothing of the body is read before there is one. Keep it as long as the body or its picture.

        One caller holds at most its share of the slots: its senders, however slow, leave the others theirs.

        Raises:
            BodyTooLargeError: at once, by the length that the client declared.
            GatewayBusyError: there was no slot, or none for this caller, for as long as a body may take.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise BodyTooLargeError(self._too_large)
        async with self._slots.hold(caller, self._timeout):
            yield

    async def read(self, request: Request) -> bytes:
        """Read the body within a slot.

        Raises:
            BodyTooLargeError: it has no declared length, and turned out too large.
            BodyTimeoutError: it did not arrive in time, or too slowly to do so.
        """
        chunks: list[bytes] = []
        size = 0
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._timeout, self._grace)) as limit:
                async for chunk in request.stream():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > self._max_bytes:
                        raise BodyTooLargeError(self._too_large)
                    limit.reschedule(began + min(self._timeout, self._grace + size / SLOWEST))
        except TimeoutError:
            waited = asyncio.get_running_loop().time() - began
            raise BodyTimeoutError(f"Of the body {size} bytes arrived in {waited:.0f} s: too slow") from None
        return b"".join(chunks)
