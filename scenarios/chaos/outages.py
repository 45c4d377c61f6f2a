"""Services and the blob store that are down for a while: connections refused, and those that were open broken."""

import asyncio
import time

from scenarios.chaos.case import Strike, StruckTryOn
from scenarios.chaos.site import ANOTHER_A100, SpoiltError, StruckStack, expect
from scenarios.chaos.starts import answered_and_not_stored, start_and_hold, start_without_azurite

AZURITE_START_S = 1.5
"""From its start until Azurite answers, about: a part of the time that it is away."""

OUTLIVED_S = 15.0
"""The pauses between five tries of the store, 1 + 2 + 4 + 8 s (specification, the policy for images)."""

AT_ONCE_S = 5.0
"""When no A100 answers, nothing is waited for."""


def service_down(seconds: float) -> Strike:
    """Take the step's service away for so long while its call is in flight. Another A100 stays up."""

    async def strike(site: StruckStack, tryon: StruckTryOn) -> None:
        await start_and_hold(site, tryon)
        await site.refuse(str(tryon.step.service), seconds)

    return strike


async def no_a100(site: StruckStack, tryon: StruckTryOn) -> None:
    """Take every A100 away while the call is in flight: the try-on fails at once."""
    await start_and_hold(site, tryon)
    began = time.monotonic()
    await site.refuse(ANOTHER_A100, 40)
    await site.refuse("a100", 40)
    await site.end(tryon.id, AT_ONCE_S)
    expect(time.monotonic() - began < AT_ONCE_S, "it did not fail at once")


def azurite_down(seconds: float) -> Strike:
    """Stop Azurite for so long, as soon as the photo is stored and before a worker reads it."""

    async def strike(site: StruckStack, tryon: StruckTryOn) -> None:
        await start_without_azurite(site, tryon)
        await _away(site, seconds)

    return strike


def azurite_down_for_results(seconds: float) -> Strike:
    """Stop Azurite for so long when the A100 has answered and its pictures are to be stored."""

    async def strike(site: StruckStack, tryon: StruckTryOn) -> None:
        holder = await answered_and_not_stored(site, tryon)
        await site.stack.stop("azurite")
        site.resume(holder)
        await _away(site, seconds)

    return strike


async def _away(site: StruckStack, seconds: float) -> None:
    began = time.monotonic()
    await asyncio.sleep(seconds - AZURITE_START_S)
    await site.stack.start("azurite")
    took = time.monotonic() - began
    if seconds < OUTLIVED_S < took:
        raise SpoiltError(f"Azurite was away for {took:.0f} s, not {seconds:g}: the machine was too busy")
