"""The chaos table: every fault and each step at which it strikes. `make chaos` runs all of it."""

from collections.abc import Sequence

from scenarios.chaos import cancels, deaths, deploys, outages
from scenarios.chaos.case import AT_MOST_ONCE_MORE, Case
from scenarios.pipeline import BY_NAME, SPARES, STEPS

STRUCK = {step.name: f"{step.service}.{step.work}" for step in STEPS if step.service and not step.job}
"""The call that may be made once more when its worker is killed. A remote job is never submitted again."""

ALONE = tuple(step for step in STEPS if step.service and step.service not in SPARES)
"""The steps whose service has one address."""

UNAVAILABLE = {step.name: f"{str(step.service).upper()}_UNAVAILABLE" for step in ALONE if not step.job}
"""What a try-on fails with whose service is away for longer than its policy tries again. A job is polled on."""

ENDS_WELL = cancels.cancel_before_its_end({"kind": "delay", "seconds": cancels.ABOUT_TO_END_S})
FAILS = cancels.cancel_before_its_end({"kind": "status", "status": 400, "delay": cancels.ABOUT_TO_END_S})
ON_A100 = tuple(step.name for step in STEPS if step.service in SPARES)


def _once_more(step: str) -> dict[str, tuple[int, int]]:
    return {STRUCK[step]: AT_MOST_ONCE_MORE} if step in STRUCK else {}


CASES: Sequence[Case] = (
    *(
        Case(fault="worker killed (-9)", step=step, strike=deaths.kill_worker, calls=_once_more(step))
        for step in BY_NAME
    ),
    Case(fault="worker drained (SIGTERM)", step="GENERATING_IMAGES", strike=deaths.drain_worker),
    *(
        Case(fault="Temporal killed (-9), restarted", step=step, strike=deaths.kill_temporal, calls=_once_more(step))
        for step in ("UPLOADING_IMAGE", "GENERATING_MASK", "GENERATING_IMAGES")
    ),
    Case(
        fault="gateway killed (-9) between staging and start",
        step="UPLOADING_IMAGE",
        strike=deaths.kill_gateway_before_start,
    ),
    Case(
        fault="gateway killed (-9) right after the start",
        step="UPLOADING_IMAGE",
        strike=deaths.kill_gateway_after_start,
    ),
    Case(fault="Azurite down for 3 s", step="UPLOADING_IMAGE", strike=outages.azurite_down(3)),
    Case(
        fault="Azurite down for 40 s",
        step="UPLOADING_IMAGE",
        strike=outages.azurite_down(40),
        status="FAILED",
        code="AZURE_UNAVAILABLE",
    ),
    Case(
        fault="Azurite down for 3 s, results not stored yet",
        step="GENERATING_IMAGES",
        strike=outages.azurite_down_for_results(3),
    ),
    Case(
        fault="Azurite down for 40 s, results not stored yet",
        step="GENERATING_IMAGES",
        strike=outages.azurite_down_for_results(40),
        status="FAILED",
        code="AZURE_UNAVAILABLE",
    ),
    *(
        Case(fault="service down for 3 s", step=step.name, strike=outages.service_down(3), calls=_once_more(step.name))
        for step in ALONE
    ),
    *(
        Case(fault="service down for 40 s", step=step.name, strike=outages.service_down(40))
        for step in ALONE
        if step.job
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
        for step in BY_NAME
    ),
    *(
        Case(fault="cancelled, step about to end", step=step, strike=ENDS_WELL, status="CANCELLED")
        for step in BY_NAME
        if step != "UPLOADING_IMAGE"
    ),
    *(
        Case(fault="cancelled, step about to fail", step=step, strike=FAILS, status="CANCELLED")
        for step in ("CHECKING_ZOOM", "GENERATING_MASK", "GENERATING_IMAGES")
    ),
    *(
        Case(fault="cancelled between polls", step=name, strike=cancels.cancel_between_polls, status="CANCELLED")
        for name, step in BY_NAME.items()
        if step.job
    ),
    *(
        Case(fault="cancelled in a backoff", step=step, strike=cancels.cancel_in_backoff, status="CANCELLED")
        for step in BY_NAME
    ),
    Case(
        fault="cancelled, no A100 slot free",
        step="REFINING_MASK",
        strike=cancels.cancel_queued,
        status="CANCELLED",
    ),
    Case(
        fault="cancelled, results not stored yet",
        step="GENERATING_IMAGES",
        strike=cancels.cancel_storing,
        status="CANCELLED",
    ),
    *(
        Case(fault="changed worker deployed", step=step, strike=deploys.deploy_changed_worker)
        for step in ("GENERATING_MASK", "GENERATING_IMAGES")
    ),
)
