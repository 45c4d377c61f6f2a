"""What a run measured, as one JSON object: the report, the verdict, the comparison and the knee are made of it."""

import json
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.kit.client import LedgerCall
from loadtests.histogram import Latencies
from loadtests.histories import Waits
from loadtests.plan import Plan
from loadtests.sampling import Sample
from loadtests.tryon import Record

BUCKETS = 30
"""Points of each curve over time."""
NOTICED_S = 0.25
"""A task that is queued for less has found a free place: on a busy machine it takes as long to hand it over."""


@dataclass(frozen=True)
class Outcome:
    """The records of a run, when it began in Unix seconds, the arrivals that were dropped, the cases left out."""

    records: list[Record]
    begun: float
    dropped: int
    left_out: list[str]


def read_records(path: Path) -> Outcome:
    """Read what the load generators wrote.

    Raises:
        ValueError: the file does not end as a finished run's does.
    """
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not lines or not lines[-1].get("complete"):
        raise ValueError(f"{path} is incomplete: a load generator did not finish")
    end = lines.pop()
    return Outcome([Record(**line) for line in lines], end["begun"], len(end["dropped"]), end["left_out"])


def summarize(
    plan: Plan,
    outcome: Outcome,
    samples: Sequence[Sample] = (),
    waits: Mapping[str, Waits] | None = None,
    ledgers: Mapping[str, Iterable[LedgerCall]] | None = None,
) -> dict[str, Any]:
    """Put the figures together. Durations are seconds, sizes bytes, rates per second."""
    records = outcome.records
    completed = [record for record in records if record.outcome == "completed" and record.right]
    arrived = len(records) + outcome.dropped
    ended = [record.ended for record in records if record.ended is not None]
    length = max([*ended, outcome.begun + plan.seconds]) - outcome.begun
    return {
        "plan": plan.model_dump(mode="json", exclude={"api_key", "records", "run"}),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "begun": outcome.begun,
        "seconds": length,
        "arrived": arrived,
        "started": sum(record.started is not None for record in records),
        "dropped": outcome.dropped,
        "left_out": outcome.left_out,
        "outcomes": dict(Counter(record.outcome for record in records)),
        "codes": dict(Counter(record.code for record in records if record.code)),
        "wrong_share": _share(sum(not record.right and record.outcome != "censored" for record in records), arrived),
        "censored_share": _share(sum(record.outcome == "censored" for record in records), arrived),
        "dropped_share": _share(outcome.dropped, arrived),
        "throughput": len(completed) / length,
        "throughput_share": _throughput_share(plan, outcome, completed),
        "transaction": Latencies(record.seconds for record in completed if record.seconds is not None).figures(),
        "start": Latencies(record.start_s for record in records if record.start_s is not None).figures(),
        "status": Latencies(second for record in records for second in record.status_s).figures(),
        "late_start": Latencies(
            max(0.0, record.started - record.intended) for record in records if record.started is not None
        ).figures(),
        "polls": sum(record.polls for record in records),
        "status_errors": sum(record.status_errors for record in records),
        "sent": sum(record.sent for record in records),
        "received": sum(record.received for record in records),
        "cases": _cases(records),
        "timeline": _timeline(records, outcome.begun, length),
        "samples": _samples(samples, outcome.begun),
        "processes": _processes(samples, len(completed)),
        "fakes": _fakes(ledgers or {}),
        "waits": _waits(waits or {}),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _throughput_share(plan: Plan, outcome: Outcome, completed: list[Record]) -> float | None:
    """The part of what was due that had completed a typical latency after the last arrival: falls with a backlog."""
    due = len(completed) + sum(not record.right for record in outcome.records) + outcome.dropped
    if not due:
        return None
    typical = Latencies(record.seconds for record in completed if record.seconds is not None).at(50) or 0.0
    end = outcome.begun + plan.seconds + typical
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


def _timeline(records: list[Record], begun: float, length: float) -> list[dict[str, Any]]:
    """Return what arrived, ended and ran in each part of the run."""
    width = length / BUCKETS
    parts: list[dict[str, Any]] = []
    for number in range(BUCKETS):
        since, until = begun + number * width, begun + (number + 1) * width
        ended = [record for record in records if record.ended is not None and since <= record.ended < until]
        right = [record.seconds for record in ended if record.outcome == "completed" and record.seconds is not None]
        parts.append(
            {
                "at": (number + 0.5) * width,
                "arrived": sum(since <= record.intended < until for record in records) / width,
                "outcomes": {
                    name: count / width for name, count in Counter(record.outcome for record in ended).items()
                },
                "in_flight": sum(record.intended < until and (record.ended or until) >= until for record in records),
                "p50_s": Latencies(right).at(50),
                "p95_s": Latencies(right).at(95),
            }
        )
    return parts


def _samples(samples: Sequence[Sample], begun: float) -> list[dict[str, Any]]:
    return [
        {
            "at": sample.at - begun,
            "slots": sample.slots,
            "busy": sample.busy,
            "waiting": sample.waiting,
            "memory": {name: reading.memory for name, reading in sample.processes.items()},
            "cpu": {name: reading.cpu for name, reading in sample.processes.items()},
            "machine": sample.machine,
        }
        for sample in samples
        if sample.at >= begun
    ]


def _processes(samples: Sequence[Sample], completed: int) -> dict[str, Any]:
    """CPU of each process over the whole run and for each completed try-on; memory at first and at its peak."""
    if not samples:
        return {}
    first, last = samples[0], samples[-1]
    length = max(last.at - first.at, 1e-9)
    return {
        name: {
            "cpu_s": last.processes[name].cpu - reading.cpu,
            "cpu_share": (last.processes[name].cpu - reading.cpu) / length,
            "cpu_each_s": (last.processes[name].cpu - reading.cpu) / completed if completed else None,
            "memory_first": reading.memory,
            "memory_peak": max(sample.processes[name].memory for sample in samples),
        }
        for name, reading in first.processes.items()
    }


def _fakes(ledgers: Mapping[str, Iterable[LedgerCall]]) -> dict[str, Any]:
    """What the fakes' calls took beyond what they were to take: evidence that the fakes are not the bottleneck."""
    found = {}
    for service, ledger in ledgers.items():
        by_operation: dict[str, list[LedgerCall]] = defaultdict(list)
        for call in ledger:
            if call["duration_s"] is not None:
                by_operation[call["operation"]].append(call)
        for operation, calls in sorted(by_operation.items()):
            took = [call["duration_s"] or 0.0 for call in calls]
            beyond = Latencies(max(0.0, (call["duration_s"] or 0.0) - call["intended_s"]) for call in calls)
            found[f"{service}.{operation}"] = {
                "calls": len(calls),
                "mean_s": sum(took) / len(took),
                "intended_mean_s": sum(call["intended_s"] for call in calls) / len(calls),
                "beyond_p50_s": beyond.at(50),
                "beyond_p99_s": beyond.at(99),
            }
    return found


def _waits(waits: Mapping[str, Waits]) -> dict[str, Any]:
    if not waits:
        return {}
    activities = sorted({name for each in waits.values() for name in (*each.queued_for, *each.run_in)})
    return {
        "queued": Latencies(each.queued for each in waits.values()).figures(),
        "run": Latencies(each.run for each in waits.values()).figures(),
        "between": Latencies(each.between for each in waits.values()).figures(),
        "activities": {
            name: {
                "queued": Latencies(
                    each.queued_for[name] for each in waits.values() if name in each.queued_for
                ).figures(),
                "waited_share": _share(
                    sum(each.queued_for.get(name, 0.0) > NOTICED_S for each in waits.values()),
                    sum(name in each.queued_for for each in waits.values()),
                ),
                "run": Latencies(each.run_in[name] for each in waits.values() if name in each.run_in).figures(),
            }
            for name in activities
        },
    }
