"""Cancellation while a service hangs, and in a backoff: done within 2 s, and nothing is called afterwards."""

import asyncio
import time

import psutil

from scenarios.chaos.case import CALLS, TryOn
from scenarios.chaos.deaths import start_and_hold
from scenarios.chaos.site import Site, expect, until

CANCELLED_WITHIN_S = 2.0
QUIET_S = 4.0
"""So long nothing may be called after the end: longer than two polls lie apart."""


async def cancel_hung(site: Site, tryon: TryOn) -> None:
    """Cancel while the step's service has the call and never answers; the connection to it is closed."""
    place = tryon.place
    before = _connections_to_azurite(site)
    await start_and_hold(site, tryon, {"kind": "hang"})
    await _cancel(site, tryon)
    if place.service is None:

        async def let_go() -> bool:
            return _connections_to_azurite(site) <= before

        await until(let_go, 2, "the connection to Azurite to close")
        site.resume("azurite")
        return
    service = place.service

    async def closed() -> bool:
        calls = await site.calls(service, place.operation, tryon.id)
        return all(call["duration_s"] is not None for call in calls)

    await until(closed, 2, f"the connection to {service} to close")
    await _quiet(site, tryon)


async def cancel_in_backoff(site: Site, tryon: TryOn) -> None:
    """Cancel while Temporal waits to try the step again."""
    place = tryon.place
    await site.rules(place.hold(tryon.id, {"kind": "status", "status": 503, "retry_after": 30}))
    await site.start(tryon.key)

    async def waiting() -> bool:
        calls = await site.calls(str(place.service), place.operation, tryon.id)
        return bool(calls) and await site.holder(tryon.id, place.activity) is None

    await until(waiting, 60, "the backoff")
    await _cancel(site, tryon)
    await _quiet(site, tryon)


async def _cancel(site: Site, tryon: TryOn) -> None:
    began = time.monotonic()
    answer = await site.http.post(f"{site.gateway}/workflow/{tryon.id}/cancel")
    expect(answer.json() == {"workflowId": tryon.id, "status": "CANCELLED"}, f"the cancel answered {answer.text}")
    await site.end(tryon.id, CANCELLED_WITHIN_S)
    took = time.monotonic() - began
    expect(took <= CANCELLED_WITHIN_S, f"it was cancelled after {took:.1f} s")


async def _quiet(site: Site, tryon: TryOn) -> None:
    async def count() -> int:
        return sum([len(await site.calls(service, operation, tryon.id)) for service, operation in CALLS])

    before = await count()
    await asyncio.sleep(QUIET_S)
    expect(await count() == before, "a service was called after the end")


def _connections_to_azurite(site: Site) -> int:
    port = site.stack.ports.azurite
    open_now = 0
    for worker in site.workers:
        connections = psutil.Process(worker.pid).net_connections("tcp")
        open_now += sum(bool(one.raddr) and one.raddr.port == port for one in connections)
    return open_now
