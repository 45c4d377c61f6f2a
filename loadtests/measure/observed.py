"""What was seen inside the system during a run, as figures: slots, processes, the fakes' own lag, waits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fakes.kit.client import LedgerCall
from loadtests.measure.histogram import Latencies
from loadtests.measure.sampling import Sample
from loadtests.measure.waits import Waits

NOTICED_S = 0.25
"""A task that is queued for less has found a free place: on a busy machine it takes as long to hand it over."""


def summarize_samples(samples: Sequence[Sample], begun: float) -> list[dict[str, Any]]:
    """Return the looks since the beginning, each with the seconds since then."""
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


def summarize_processes(samples: Sequence[Sample], completed: int) -> dict[str, Any]:
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


def summarize_fakes(ledgers: Mapping[str, Iterable[LedgerCall]], tried_s: float) -> dict[str, Any]:
    """Return what the fakes' calls took beyond what they were to take: evidence that the fakes are not the bottleneck.

    `share` is all of that as a part of `tried_s`, the time that all try-ons took together; None without any.
    """
    found, beyond_s = {}, 0.0
    for service, ledger in ledgers.items():
        by_operation: dict[str, list[LedgerCall]] = defaultdict(list)
        for call in ledger:
            if call["duration_s"] is not None:
                by_operation[call["operation"]].append(call)
        for operation, calls in sorted(by_operation.items()):
            took = [call["duration_s"] or 0.0 for call in calls]
            beyond = [max(0.0, (call["duration_s"] or 0.0) - call["intended_s"]) for call in calls]
            beyond_s += sum(beyond)
            found[f"{service}.{operation}"] = {
                "calls": len(calls),
                "mean_s": sum(took) / len(took),
                "intended_mean_s": sum(call["intended_s"] for call in calls) / len(calls),
                "beyond_p50_s": Latencies(beyond).at(50),
                "beyond_p99_s": Latencies(beyond).at(99),
            }
    return {"operations": found, "share": beyond_s / tried_s if found and tried_s else None}


def summarize_waits(waits: Mapping[str, Waits], of: int) -> dict[str, Any]:
    """Return where the try-ons whose histories were read waited and ran. `of` is how many ended."""
    activities = sorted(
        {name for each in waits.values() for name in (*each.queued_for, *each.earlier_in, *each.run_in)}
    )
    every = waits.values()

    def part(kind: str, name: str) -> dict[str, Any]:
        return Latencies(getattr(each, kind)[name] for each in every if name in getattr(each, kind)).figures()

    def waited_share(name: str) -> float:
        queued = [each.queued_for[name] for each in every if name in each.queued_for]
        return sum(seconds > NOTICED_S for seconds in queued) / len(queued) if queued else 0.0

    return {
        "read": len(waits),
        "of": of,
        "queued": Latencies(each.queued for each in every).figures(),
        "earlier": Latencies(each.earlier for each in every).figures(),
        "run": Latencies(each.run for each in every).figures(),
        "between": Latencies(each.between for each in every).figures(),
        "activities": {
            name: {
                "queued": part("queued_for", name),
                "waited_share": waited_share(name),
                "earlier": part("earlier_in", name),
                "run": part("run_in", name),
            }
            for name in activities
        },
    }
