"""Cancellation in every state that a step can be in: done within 2 s, and nothing is called afterwards."""

import asyncio
import time
from collections.abc import Mapping

import psutil

from scenarios.chaos.case import CALLS, Strike, StruckTryOn
from scenarios.chaos.holding import POLL, held
from scenarios.chaos.site import A100_SLOTS, StruckStack, expect, until
from scenarios.chaos.starts import answered_and_not_stored, start_and_hold, start_without_azurite

CANCELLED_WITHIN_S = 2.0
ABOUT_TO_END_S = 0.5
"""So much later the call that is in flight at the cancellation ends: less than a heartbeat may take to bring it."""

QUIET_S = 4.0
"""So long nothing may be called after the end: longer than two polls lie apart."""


async def cancel_hung(site: StruckStack, tryon: StruckTryOn) -> None:
    """Cancel while the step's service has the call and never answers; the connection to it is closed."""
    before = _connections_to_azurite(site)
    await start_and_hold(site, tryon, {"kind": "hang"})
    await _cancel(site, tryon)
    if (service := tryon.step.service) is None:
        await _azurite_let_go(site, before)
        return

    async def closed() -> bool:
        calls = await site.calls(service, held(tryon.step)[0], tryon.id)
        return all(call["duration_s"] is not None for call in calls)

    await until(closed, 2, f"the connection to {service} to close")
    await _quiet(site, tryon)


async def cancel_in_backoff(site: StruckStack, tryon: StruckTryOn) -> None:
    """Cancel while Temporal waits to try the step again."""
    if tryon.step.service is None:
        await start_without_azurite(site, tryon)
        attempt = 3  # the second follows after 1 s, which is soon over
    else:
        busy = {"kind": "status", "status": 503, "retry_after": 30}
        await site.rules(
            [{"service": tryon.step.service, "key": tryon.id, "operation": tryon.step.work, "fault": busy}]
        )
        await site.start(tryon.key)
        attempt = 2
    await site.waiting(tryon.id, tryon.step.activity, attempt=attempt)
    await _cancel(site, tryon)
    await _quiet(site, tryon)


def cancel_before_its_end(fault: Mapping[str, object]) -> Strike:
    """Cancel when the step is about to end by itself, well or not: it may not hear of the cancellation before that."""

    async def strike(site: StruckStack, tryon: StruckTryOn) -> None:
        await start_and_hold(site, tryon, dict(fault))
        await _cancel(site, tryon)
        await _quiet(site, tryon)

    return strike


async def cancel_between_polls(site: StruckStack, tryon: StruckTryOn) -> None:
    """Cancel while the step waits to ask for its job again."""
    step = tryon.step
    rule = {"service": step.service, "key": tryon.id, "operation": step.work}
    await site.rules([rule | {"fault": {"kind": "job_stuck"}}])
    await site.start(tryon.key)

    async def polled() -> bool:
        calls = await site.calls(str(step.service), POLL, tryon.id)
        return bool(calls) and calls[-1]["duration_s"] is not None

    await until(polled, 60, "the first poll")
    await _cancel(site, tryon)
    await _quiet(site, tryon)


async def cancel_queued(site: StruckStack, tryon: StruckTryOn) -> None:
    """Cancel while the step waits for a slot of the A100: no worker has taken it yet."""
    others = [StruckTryOn(f"{tryon.key}:{number}", tryon.step) for number in range(A100_SLOTS * len(site.workers))]
    for other in others:
        await start_and_hold(site, other)
    await site.start(tryon.key)
    await site.waiting(tryon.id, tryon.step.activity)
    await _cancel(site, tryon)
    for other in others:
        await _cancel(site, other)
    await _quiet(site, tryon)


async def cancel_storing(site: StruckStack, tryon: StruckTryOn) -> None:
    """Cancel when the A100 has answered and the store hangs while its pictures are put there."""
    holder = await answered_and_not_stored(site, tryon)
    site.pause("azurite")
    site.resume(holder)
    await _cancel(site, tryon)
    site.resume("azurite")
    await _quiet(site, tryon)


async def _azurite_let_go(site: StruckStack, before: int) -> None:
    async def let_go() -> bool:
        return _connections_to_azurite(site) <= before

    await until(let_go, 2, "the connection to Azurite to close")
    site.resume("azurite")


async def _cancel(site: StruckStack, tryon: StruckTryOn) -> None:
    began = time.monotonic()
    answer = await site.gateway.cancel(tryon.id)
    expect(answer.json() == {"workflowId": tryon.id, "status": "CANCELLED"}, f"the cancel answered {answer.text}")
    await site.end(tryon.id, CANCELLED_WITHIN_S)
    took = time.monotonic() - began
    expect(took <= CANCELLED_WITHIN_S, f"it was cancelled after {took:.1f} s")


async def _quiet(site: StruckStack, tryon: StruckTryOn) -> None:
    async def count() -> int:
        return sum([len(await site.calls(service, operation, tryon.id)) for service, operation in CALLS])

    before = await count()
    await asyncio.sleep(QUIET_S)
    expect(await count() == before, "a service was called after the end")


def _connections_to_azurite(site: StruckStack) -> int:
    port = site.stack.ports.azurite
    open_now = 0
    for worker in site.workers:
        connections = psutil.Process(worker.pid).net_connections("tcp")
        open_now += sum(bool(one.raddr) and one.raddr.port == port for one in connections)
    return open_now
