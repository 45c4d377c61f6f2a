"""What a run measured, as one JSON object: the report, the verdict, the comparison and the knee are made of it."""

import json
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from fakes.kit.client import LedgerCall
from loadtests.measure.buckets import timeline
from loadtests.measure.histogram import Latencies
from loadtests.measure.observed import summarize_fakes, summarize_processes, summarize_samples
from loadtests.measure.sampling import Sample
from loadtests.plan import Plan
from loadtests.record import Endpoint, Record

SLOWEST, MOST_WRONG = 5, 200
"""So many try-ons are named one by one; the records have them all."""
FEW = 5
"""A percentile needs at least so many try-ons."""


@dataclass(frozen=True)
class Outcome:
    """The records of a run, one for each arrival; when it began and was stopped, in Unix seconds; cases left out.

    `workers` are the load workers who shared the run, by `loadtests.drive.collector.Source.told`.
    """

    records: list[Record]
    begun: float
    left_out: list[str]
    stopped: float | None = None
    workers: Sequence[dict[str, Any]] = ()

    def arriving_s(self, plan: Plan) -> float:
        """Return how long try-ons arrived."""
        return plan.seconds if self.stopped is None else min(plan.seconds, max(1e-3, self.stopped - self.begun))


def read_records(path: Path, run: str) -> Outcome:
    """Read what the load generators of a run wrote.

    Raises:
        ValueError: the file is not there, does not end as a finished run's does, or is another run's.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is incomplete: its last line is broken off") from None
    if not lines or not lines[-1].get("complete"):
        raise ValueError(f"{path} is incomplete: a load generator did not finish")
    end = lines.pop()
    if end["run"] != run:
        raise ValueError(f"{path} is of another run")
    return Outcome([Record(**line) for line in lines], end["begun"], end["left_out"], end["stopped"], end["workers"])


def summarize(
    plan: Plan,
    outcome: Outcome,
    samples: Sequence[Sample] = (),
    ledgers: Mapping[str, Iterable[LedgerCall]] | None = None,
) -> dict[str, Any]:
    """Put the figures together. Durations are seconds, sizes bytes, rates per second."""
    records = outcome.records
    completed = [record for record in records if record.outcome == "completed" and record.right]
    arrived = len(records)
    outcomes = Counter(record.outcome for record in records)
    ended = [record.ended for record in records if record.ended is not None]
    arriving = outcome.arriving_s(plan)
    length = max([*ended, outcome.begun + arriving]) - outcome.begun
    return {
        "plan": plan.model_dump(mode="json", exclude={"api_key", "records", "run"}),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "begun": outcome.begun,
        "seconds": length,
        "arriving_s": arriving,
        "interrupted": outcome.stopped is not None,
        "arrived": arrived,
        "started": sum(record.started is not None for record in records),
        "dropped": outcomes["dropped"],
        "load_workers": list(outcome.workers),
        "left_out": outcome.left_out,
        "outcomes": dict(outcomes),
        "codes": dict(Counter(record.code for record in records if record.code)),
        "wrong_count": sum(map(went_wrong, records)),
        "wrong_share": _share(sum(map(went_wrong, records)), arrived),
        "censored_share": _share(outcomes["censored"], arrived),
        "dropped_share": _share(outcomes["dropped"], arrived),
        "throughput": sum((record.ended or 0) <= outcome.begun + arriving for record in completed) / arriving,
        "throughput_share": _throughput_share(plan, outcome, completed),
        "transaction": Latencies(record.seconds for record in completed if record.seconds is not None).figures(),
        "accepted": Latencies(
            record.accepted - record.intended for record in records if record.accepted is not None
        ).figures(),
        "requests": _requests(records, length),
        "curves": _curves(records, completed),
        "steps": _steps(records),
        "slowest": _told(sorted(completed, key=lambda record: -(record.seconds or 0))[:SLOWEST], outcome.begun),
        "wrong": _told([record for record in records if went_wrong(record)][:MOST_WRONG], outcome.begun),
        "late_start": Latencies(
            max(0.0, record.started - record.intended) for record in records if record.started is not None
        ).figures(),
        "status_error_share": _status_error_share(records),
        "sent": sum(record.sent for record in records),
        "received": sum(record.received for record in records),
        "cases": _cases(records),
        "timeline": timeline(records, outcome.begun, length),
        "samples": summarize_samples(samples, outcome.begun),
        "processes": summarize_processes(samples, len(completed)),
        "fakes": summarize_fakes(ledgers or {}, sum(record.seconds or 0.0 for record in records)),
        "waits": {},
        "temporal": None,
    }


def went_wrong(record: Record) -> bool:
    """Say whether a try-on did not end as its scenario says; what was censored or dropped is counted apart."""
    return not record.right and record.outcome not in ("censored", "dropped")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _requests(records: list[Record], length: float) -> dict[str, dict[str, Any]]:
    """By endpoint: how many, how many failed, how many a second, and how long they took, failed ones included."""
    found = {}
    for endpoint in get_args(Endpoint):
        figures = Latencies(second for record in records for second in record.requests.get(endpoint, ())).figures()
        failures = sum(record.failures.get(endpoint, 0) for record in records)
        found[endpoint] = {**figures, "failures": failures, "rate": (figures["count"] or 0) / length}
    return found


def _curves(records: list[Record], completed: list[Record]) -> dict[str, list[tuple[float, float]]]:
    """The whole distributions, for a plot: (percentile, seconds)."""
    curves = {"try-on": Latencies(record.seconds for record in completed if record.seconds is not None).curve()}
    for endpoint in ("start", "status"):
        latencies = Latencies(second for record in records for second in record.requests.get(endpoint, ()))
        curves[endpoint] = latencies.curve()
    return curves


def _steps(records: list[Record]) -> dict[str, dict[str, Any]]:
    """How long each step took, as those saw it who watched the stream of events; the last one ends with the try-on."""
    took: dict[str, list[float]] = defaultdict(list)
    order: dict[str, int] = defaultdict(int)
    for record in records:
        if record.seconds is None or not record.right:
            continue
        marks = [*record.steps.items(), ("", record.seconds)]
        for (step, began), (_, ended) in pairwise(marks):
            took[step].append(max(0.0, ended - began))
        for place, step in enumerate(reversed(record.steps)):  # the last ones are seen by everybody
            order[step] = max(order[step], place)
    return {step: Latencies(took[step]).figures() for step in sorted(took, key=lambda step: -order[step])}


def _told(records: list[Record], begun: float) -> list[dict[str, Any]]:
    """Try-ons one by one, each with what is needed to find it elsewhere."""
    return [
        {
            "number": record.number,
            "case": record.case,
            "workflow_id": record.workflow_id if record.accepted is not None else None,
            "at": record.intended - begun,
            "seconds": record.seconds,
            "outcome": record.outcome,
            "code": record.code,
        }
        for record in records
    ]


def _status_error_share(records: list[Record]) -> float:
    """The part of all questions for the status, long polls included, that were not answered."""
    kinds: tuple[Endpoint, ...] = ("status", "long poll")
    asked = sum(len(record.requests.get(kind, ())) for record in records for kind in kinds)
    return _share(sum(record.failures.get(kind, 0) for record in records for kind in kinds), asked)


def _throughput_share(plan: Plan, outcome: Outcome, completed: list[Record]) -> float | None:
    """The part of what was due that had completed in time after the last arrival: falls with a backlog.

    In time is what 95 of 100 took early in the run: a backlog that grows must not lengthen its own deadline.
    """
    due = len(completed) + sum(not record.right for record in outcome.records)
    if not due:
        return None
    begin = sorted(completed, key=lambda record: record.intended)[: max(FEW, len(completed) // 5)]
    usual = Latencies(record.seconds for record in begin if record.seconds is not None).at(95) or 0.0
    end = outcome.begun + outcome.arriving_s(plan) + usual
    return sum(record.ended is not None and record.ended <= end for record in completed) / due


def _cases(records: list[Record]) -> dict[str, Any]:
    by_case: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_case[record.case].append(record)
    return {
        name: {
            "outcomes": dict(Counter(record.outcome for record in mine)),
            "wrong": sum(not record.right for record in mine),
            "transaction": Latencies(
                record.seconds for record in mine if record.outcome == "completed" and record.seconds is not None
            ).figures(),
        }
        for name, mine in sorted(by_case.items())
    }
