"""Records and samples of a run that never was."""

from typing import Any

from loadtests.measure.process_usage import Reading
from loadtests.measure.sampling import Sample
from loadtests.measure.summary import Outcome, summarize
from loadtests.plan import Plan
from loadtests.record import Record

PLAN = Plan(host="http://127.0.0.1:1", rate=1, seconds=60)


def record(number: int, took: float | None, *, outcome: str = "completed") -> Record:
    made = Record(number, "near", intended=1000.0 + number, started=1000.0 + number, workflow_id=f"w{number}")
    made.accepted, made.requests = 1000.1 + number, {"start": [0.1], "status": [0.01, 0.02]}
    if took is not None or outcome != "completed":
        made.outcome, made.right = outcome, outcome == "completed"  # type: ignore[assignment]
    if took is not None:
        made.ended = made.intended + took
    return made


def summary(records: list[Record], *, samples: tuple[Sample, ...] = ()) -> dict[str, Any]:
    return summarize(PLAN, Outcome(records, 1000.0, []), samples)


def sample(at: float, *, busy: int, waiting: int, cpu: float) -> Sample:
    return Sample(
        1000.0 + at, {"a100": 1}, {"a100": busy}, {"a100": waiting}, {"worker": Reading(cpu, 10**8)}, machine=0.4
    )
