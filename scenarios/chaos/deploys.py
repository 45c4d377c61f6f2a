"""A deploy of a changed worker while a try-on runs, and its way back."""

import dataclasses
import sys

from scenarios.chaos.case import StruckTryOn
from scenarios.chaos.holding import HOLD_S
from scenarios.chaos.site import BUILD_ID, StruckStack, expect
from scenarios.chaos.starts import start_and_hold

CHANGED = "changed-worker"
OLD_ORDER = ["upload_to_azure", "resize_image", "check_zoom"]
NEW_ORDER = ["upload_to_azure", "check_zoom", "upload_to_azure"]


async def deploy_changed_worker(site: StruckStack, tryon: StruckTryOn) -> None:
    """Make a version with another order the current one while the step's call is in flight, then go back.

    The try-on goes on where it began, though its history contradicts the new order; one that starts meanwhile runs in
    the new order.
    """
    await start_and_hold(site, tryon, {"kind": "delay", "seconds": HOLD_S / 2})
    old = site.workers[0].program
    await site.stack.add(
        dataclasses.replace(
            old,
            name=CHANGED,
            words=[sys.executable, "-m", "scenarios.chaos.changed_worker"],
            environment={**old.environment, "WORKER_BUILD_ID": CHANGED},
        )
    )
    try:
        await site.make_current(CHANGED)
        later = await site.start(f"{tryon.key}:later")
        view = await site.end(later, 60)
        expect(view["status"] == "COMPLETED", f"the try-on after the deploy is {view}")
        await site.end(tryon.id, 60)
    finally:
        await site.make_current(BUILD_ID)
        await site.stack.remove(CHANGED)
    for workflow_id, order in ((tryon.id, OLD_ORDER), (later, NEW_ORDER)):
        seen = await site.activities(workflow_id)
        expect(seen[: len(order)] == order, f"{workflow_id} was to run {order} first, it ran {seen}")
