"""The lifespan of an application, by the protocol of ASGI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


@asynccontextmanager
async def lifespan(app: ASGIApp, state: dict[str, Any]) -> AsyncIterator[None]:
    """Run an application's lifespan around a block. One that has none, as a plain function, is run without.

    Raises:
        Exception: what the application raised while it started or ended.
        RuntimeError: it said that it cannot start, or end, and raised nothing.
    """
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    living = asyncio.ensure_future(app(scope, told.get, said.put))

    async def say(word: str) -> bool:
        """Tell it to begin or to end. Return whether it knows what that is."""
        await told.put({"type": f"lifespan.{word}"})
        hearing = asyncio.ensure_future(said.get())
        try:
            await asyncio.wait([hearing, living], return_when=asyncio.FIRST_COMPLETED)
            answer = hearing.result() if hearing.done() else None
        finally:
            hearing.cancel()
        if answer is not None and answer["type"].endswith(".failed"):
            await living
            raise RuntimeError(answer.get("message") or f"the application failed in its {word}")
        return answer is not None

    try:
        knows = await say("startup")
        try:
            yield
        finally:
            if knows:
                await say("shutdown")
                await living
    finally:
        living.cancel()
        await asyncio.wait([living])
        if not living.cancelled():
            living.exception()  # looked at: raised above, or that of an application without a lifespan
