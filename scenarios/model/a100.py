"""Whichever A100 is online: each known address is asked after its health first (specification, A100 Server)."""

from typing import Any

from scenarios.model.calls import CODES, OFFLINE, AttemptUnderWay, Failure, Telling, call
from scenarios.model.faults import Reply
from scenarios.model.numbers import HEALTH, HEALTH_AFTER_FAILURE
from scenarios.pipeline import addresses

A100 = "a100"
FINAL = {CODES[A100]["rejected"], CODES[A100]["bad"]}
"""What says nothing of a server's health: it is not asked once more."""


def on_an_a100(telling: Telling, step: AttemptUnderWay, operation: str, truth: dict[str, Any]) -> Reply:
    """Have the first server that is online do it. One that goes away meanwhile is left for the next.

    Raises:
        Failure: one of the A100's errors; unavailable, which is final, when every server is offline.
    """
    troubles: list[Failure] = []
    asking = step.deadline
    for server in addresses(A100):
        if trouble := _trouble(telling, step, server, asking):
            troubles.append(trouble)
            continue
        try:
            return call(telling, step, server, operation, truth)
        except Failure as failure:
            if failure.code in FINAL:
                raise
            asking = telling.clock.now + HEALTH_AFTER_FAILURE
            trouble = _trouble(telling, step, server, asking)
            if trouble is None:
                raise
            troubles.append(trouble if trouble.final else failure)
    raise next((trouble for trouble in troubles if not trouble.final), _offline())


def _trouble(telling: Telling, step: AttemptUnderWay, server: str, asking: float) -> Failure | None:
    """Return why a server is not to be asked; None when it is online."""
    until = min(asking, telling.clock.now + HEALTH)
    # After the attempt's own deadline too: where the next one goes depends on it.
    patient = AttemptUnderWay(step.number, max(step.deadline, until), step.end)
    truth = {"status": "online", "gpu_memory_free": 40000}
    try:
        reply = call(telling, patient, server, "health", truth, until=until)
    except Failure as failure:
        return _offline() if failure.offline or failure.code in FINAL else failure
    assert reply.json is not None
    return None if reply.json["status"] == "online" else _offline()


def _offline() -> Failure:
    return Failure(OFFLINE, final=True)
