"""The chaos table: every fault and each step at which it strikes. `make chaos` runs all of it."""

from collections.abc import Sequence

from app.pipeline.steps import Step
from scenarios.chaos import cancels, deaths, deploys, outages
from scenarios.chaos.case import AT_MOST_ONCE_MORE, Case
from scenarios.chaos.places import PLACES

STRUCK = {
    Step.RESIZING_IMAGE: "image_manipulator.resize",
    Step.CHECKING_ZOOM: "image_manipulator.zoom_check",
    Step.REFINING_MASK: "a100.refine_mask",
    Step.GENERATING_IMAGES: "a100.generate",
}
"""The call that may be made once more when its worker is killed. A remote job is never submitted again."""


UNAVAILABLE = {
    Step.RESIZING_IMAGE: "IMAGE_MANIPULATOR_UNAVAILABLE",
    Step.CHECKING_ZOOM: "IMAGE_MANIPULATOR_UNAVAILABLE",
    Step.REMOVING_BACKGROUND: "BIREFNET_UNAVAILABLE",
    Step.GENERATING_MASK: "SAM3_UNAVAILABLE",
}
"""What a try-on fails with whose service is away for longer than its policy tries again."""

ENDS_WELL = cancels.cancel_before_its_end({"kind": "delay", "seconds": cancels.ABOUT_TO_END_S})
FAILS = cancels.cancel_before_its_end({"kind": "status", "status": 400, "delay": cancels.ABOUT_TO_END_S})
ON_A100 = (Step.REFINING_MASK, Step.GENERATING_IMAGES)


def _once_more(step: Step) -> dict[str, tuple[int, int]]:
    return {STRUCK[step]: AT_MOST_ONCE_MORE} if step in STRUCK else {}


CASES: Sequence[Case] = (
    *(
        Case(fault="worker killed (-9)", step=step, strike=deaths.kill_worker, calls=_once_more(step))
        for step in PLACES
    ),
    Case(fault="worker drained (SIGTERM)", step=Step.GENERATING_IMAGES, strike=deaths.drain_worker),
    *(
        Case(fault="Temporal killed (-9), restarted", step=step, strike=deaths.kill_temporal, calls=_once_more(step))
        for step in (Step.UPLOADING_IMAGE, Step.GENERATING_MASK, Step.GENERATING_IMAGES)
    ),
    Case(
        fault="gateway killed (-9) between staging and start",
        step=Step.UPLOADING_IMAGE,
        strike=deaths.kill_gateway_before_start,
    ),
    Case(
        fault="gateway killed (-9) right after the start",
        step=Step.UPLOADING_IMAGE,
        strike=deaths.kill_gateway_after_start,
    ),
    Case(fault="Azurite down for 3 s", step=Step.UPLOADING_IMAGE, strike=outages.azurite_down(3)),
    Case(
        fault="Azurite down for 40 s",
        step=Step.UPLOADING_IMAGE,
        strike=outages.azurite_down(40),
        status="FAILED",
        code="AZURE_UNAVAILABLE",
    ),
    Case(
        fault="Azurite down for 3 s, results not stored yet",
        step=Step.GENERATING_IMAGES,
        strike=outages.azurite_down_for_results(3),
    ),
    Case(
        fault="Azurite down for 40 s, results not stored yet",
        step=Step.GENERATING_IMAGES,
        strike=outages.azurite_down_for_results(40),
        status="FAILED",
        code="AZURE_UNAVAILABLE",
    ),
    *(
        Case(fault="service down for 3 s", step=step, strike=outages.service_down(3), calls=_once_more(step))
        for step in UNAVAILABLE
    ),
    *(
        Case(
            fault="service down for 40 s",
            step=step,
            strike=outages.service_down(40),
            status="FAILED",
            code=code,
        )
        for step, code in UNAVAILABLE.items()
    ),
    *(
        Case(fault="one A100 of two down", step=step, strike=outages.service_down(40), calls=_once_more(step))
        for step in ON_A100
    ),
    *(
        Case(fault="every A100 down", step=step, strike=outages.no_a100, status="FAILED", code="A100_UNAVAILABLE")
        for step in ON_A100
    ),
    *(
        Case(fault="cancelled, service hangs", step=step, strike=cancels.cancel_hung, status="CANCELLED")
        for step in PLACES
    ),
    *(
        Case(fault="cancelled, step about to end", step=step, strike=ENDS_WELL, status="CANCELLED")
        for step in PLACES
        if step != Step.UPLOADING_IMAGE
    ),
    *(
        Case(fault="cancelled, step about to fail", step=step, strike=FAILS, status="CANCELLED")
        for step in (Step.CHECKING_ZOOM, Step.GENERATING_MASK, Step.GENERATING_IMAGES)
    ),
    *(
        Case(fault="cancelled between polls", step=step, strike=cancels.cancel_between_polls, status="CANCELLED")
        for step, place in PLACES.items()
        if place.job
    ),
    *(
        Case(fault="cancelled in a backoff", step=step, strike=cancels.cancel_in_backoff, status="CANCELLED")
        for step in PLACES
    ),
    Case(
        fault="cancelled, no A100 slot free",
        step=Step.REFINING_MASK,
        strike=cancels.cancel_queued,
        status="CANCELLED",
    ),
    Case(
        fault="cancelled, results not stored yet",
        step=Step.GENERATING_IMAGES,
        strike=cancels.cancel_storing,
        status="CANCELLED",
    ),
    *(
        Case(fault="changed worker deployed", step=step, strike=deploys.deploy_changed_worker)
        for step in (Step.GENERATING_MASK, Step.GENERATING_IMAGES)
    ),
)
