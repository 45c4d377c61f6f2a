"""A run over time: what arrived and what became of it, what completed and how long it took, what was running."""

from collections import Counter
from typing import Any

from loadtests.measure.histogram import Latencies
from loadtests.record import Record

FEWEST, MOST = 6, 30
"""Parts of a run."""
EACH = 4
"""A part has so many arrivals on average: with fewer, curves show chance more than the system."""


def timeline(records: list[Record], begun: float, length: float) -> list[dict[str, Any]]:
    """Return the parts of a run. Rates are per second.

    `became` is by arrival: what became of the try-ons that were to start in that part, those never started included,
    and whether that was to be expected where the outcome does not say so.
    `completed`, `p50_s` and `p95_s` are by end. `in_flight` is how many were running when the part ended.
    """
    parts = max(FEWEST, min(MOST, len(records) // EACH))
    width = length / parts

    def part_of(instant: float) -> int:
        return max(0, min(int((instant - begun) / width), parts - 1))  # the run's very end is in its last part

    became: list[Counter[str]] = [Counter() for _ in range(parts)]
    took: list[list[float]] = [[] for _ in range(parts)]
    for record in records:
        became[part_of(record.intended)][_became(record)] += 1
        if record.outcome == "completed" and record.ended is not None and record.seconds is not None:
            took[part_of(record.ended)].append(record.seconds)
    found = []
    for number in range(parts):
        until = begun + (number + 1) * width
        latencies = Latencies(took[number])
        found.append(
            {
                "at": (number + 0.5) * width,
                "arrived": became[number].total() / width,
                "became": {name: count / width for name, count in became[number].items()},
                "completed": len(latencies) / width,
                "in_flight": sum(record.was_running(until) for record in records),
                "p50_s": latencies.at(50),
                "p95_s": latencies.at(95),
            }
        )
    return found


def _became(record: Record) -> str:
    usual = record.outcome in ("completed", "cancelled")
    if record.right and not usual:
        return f"{record.outcome} as expected"
    return f"{record.outcome}, but wrong" if usual and not record.right else record.outcome
