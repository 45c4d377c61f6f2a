"""Starts a try-on and comes back at the moment when its fault is to strike."""

from scenarios.chaos.case import StruckTryOn
from scenarios.chaos.holding import held, hold
from scenarios.chaos.site import StruckStack, expect, until

ANSWER_S = 3.0
"""An answer that is waited for takes so long: enough to find the worker that waits for it, and to pause that."""


async def start_and_hold(site: StruckStack, tryon: StruckTryOn, fault: dict[str, object] | None = None) -> None:
    """Start a try-on and come back when its call is in flight. The upload is held by a paused Azurite."""
    if tryon.step.service is not None:
        await site.rules(hold(tryon.step, tryon.id, fault))
        await site.start(tryon.key)
    else:
        workers = [worker.name for worker in site.workers]
        site.pause(*workers)  # the photo is stored, and nobody reads it yet
        await site.start(tryon.key)
        site.pause("azurite")
        site.resume(*workers)
    await site.in_flight(tryon.step, tryon.id)


async def start_without_azurite(site: StruckStack, tryon: StruckTryOn) -> None:
    """Start a try-on whose photo is stored, and stop Azurite before a worker reads it."""
    workers = [worker.name for worker in site.workers]
    site.pause(*workers)
    await site.start(tryon.key)
    await site.stack.stop("azurite")
    site.resume(*workers)


async def answered_and_not_stored(site: StruckStack, tryon: StruckTryOn) -> str:
    """Come back when the A100 has answered, with the worker paused that is to store the pictures; return its name."""
    await start_and_hold(site, tryon, {"kind": "delay", "seconds": ANSWER_S})
    holder = await holder_of(site, tryon)
    site.pause(holder)

    async def answered() -> bool:
        calls = await site.calls(str(tryon.step.service), held(tryon.step)[0], tryon.id)
        return all(call["duration_s"] is not None for call in calls)

    await until(answered, ANSWER_S + 5, f"the answer of {tryon.step.service}")
    return holder


async def holder_of(site: StruckStack, tryon: StruckTryOn) -> str:
    """Return the name of the worker that runs the try-on's step.

    Raises:
        ChaosError: none does.
    """
    holder = await site.holder(tryon.id, tryon.step.activity)
    expect(holder is not None, f"no worker holds {tryon.step.activity}")
    return str(holder)
