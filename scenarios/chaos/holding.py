"""Where in a try-on a fault strikes: the call of a step that is in flight, and the rules that hold it there."""

from collections.abc import Mapping
from typing import Any

from scenarios.pipeline import Step

HOLD_S = 20.0
"""A call that is held takes so long; under every call's deadline, and longer than a fault needs to strike."""

JOB_S = 3.0
"""A job takes so long, so that its first poll finds it under way."""

POLL = "poll"


def held(step: Step) -> tuple[str, int]:
    """Return the operation that is held and the number of its call: of a job the second poll, as it is under way."""
    return (POLL, 2) if step.job else (step.work, 1)


def hold(step: Step, key: str, fault: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rules that hold this workflow's call of a step, by a delay or another fault."""
    operation, number = held(step)
    rule = {"service": step.service, "key": key}
    what = dict(fault or {"kind": "delay", "seconds": HOLD_S})
    rules = [{**rule, "id": f"hold-{operation}-{key}", "operation": operation, "calls": str(number), "fault": what}]
    if step.job:
        rules.append(
            {**rule, "id": f"slow-{key}", "operation": step.work, "fault": {"kind": "job_slow", "seconds": JOB_S}}
        )
    return rules
