"""A day's latencies, from recordings of real services, as rules of a plan: calls take as long as they did that day."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from fakes.registry import SERVICES
from fakes.tools.recording import replay
from scenarios.pipeline import addresses
from scenarios.plans.plan import PlannedRule
from scenarios.reproduce.facts import NoTryOnError


def latencies(recordings: Sequence[str]) -> tuple[PlannedRule, ...]:
    """Return the rules of recordings (docs/operations.md, record and replay), each said as `service=file`.

    A call takes the median of its operation, so that the plan is the same each time it runs; a job that of jobs from
    their submit to the poll that found them done.

    Raises:
        NoTryOnError: a word names no service, or a file is no recording that can be used.
    """
    return tuple(rule for word in recordings for rule in _of(word))


def _of(word: str) -> Iterator[PlannedRule]:
    service, _, file = word.partition("=")
    if service not in SERVICES or not file:
        raise NoTryOnError(f"RECORDING={word}: say it as service=file, with one of {', '.join(SERVICES)}")
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        profile, _ = replay(service, [json.loads(line) for line in lines])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoTryOnError(f"RECORDING={word}: cannot be used: {error}") from error
    if not profile["latency"]:
        raise NoTryOnError(f"RECORDING={word}: holds too few calls of any operation to say how long they take")
    jobs = {operation.name for operation in SERVICES[service].operations if operation.job}
    for operation, found in profile["latency"].items():
        kind = "job_slow" if operation in jobs else "delay"
        fault = {"kind": kind, "seconds": round(median(found["samples"]), 3)}
        for address in addresses(service):
            yield PlannedRule(service=address, operation=operation, fault=fault, must_fire=False)
