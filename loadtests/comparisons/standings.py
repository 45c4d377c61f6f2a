"""What the rounds of `make bench-pipeline` say: medians, spreads, the share of the limit, and whether it is one."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.bench.batches import Batch
from loadtests.comparisons.contenders import LIMIT, ON_TEMPORAL, PIPELINE
from loadtests.measure.process_usage import MIB

GOAL = 0.5
"""Of the limit's workflows a second, for the same CPU."""


@dataclass(frozen=True)
class Spread:
    """The median of a figure's rounds, with the smallest and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of one figure for each round."""
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Standing:
    """One contender's rounds. `own` are the names of the processes that it is made of."""

    name: str
    own: frozenset[str]
    rounds: Sequence[Batch]

    def cpu(self, process: str) -> float:
        """CPU seconds a workflow of one process, in the median round."""
        return statistics.median(measured.cpu_each(process) for measured in self.rounds)

    def own_cpu_of(self, number: int) -> float:
        """CPU seconds a workflow of its own processes in one round."""
        return sum(self.rounds[number].cpu_each(name) for name in self.own)

    @property
    def own_cpu(self) -> Spread:
        """CPU seconds a workflow of its own processes."""
        return Spread.of([self.own_cpu_of(number) for number in range(len(self.rounds))])

    @property
    def all_cpu(self) -> Spread:
        """CPU seconds a workflow, with those of Azurite and the fakes."""
        return Spread.of([sum(map(measured.cpu_each, measured.costs)) for measured in self.rounds])

    @property
    def rate(self) -> Spread:
        """Workflows a second on the wall's clock."""
        return Spread.of([measured.rate for measured in self.rounds])

    @property
    def own_memory(self) -> float:
        """MiB that its own processes held at their peaks, in the round with the most."""
        return max(sum(measured.costs[name].peak for name in self.own) for measured in self.rounds) / MIB

    @property
    def moved(self) -> float:
        """Bytes that crossed loopback for each workflow, in the median round."""
        return statistics.median(measured.moved / measured.workflows for measured in self.rounds)


def share_of_the_limit(standings: Mapping[str, Standing]) -> Spread:
    """Return how much of the pipeline's CPU for a workflow a no-op one takes, which is its share of the limit's rate.

    Rounds are compared with each other: what the machine did beside was about the same for both.
    """
    limit, own = standings[LIMIT], standings[PIPELINE]
    return Spread.of([limit.own_cpu_of(number) / own.own_cpu_of(number) for number in range(len(own.rounds))])


def undercuts(standings: Mapping[str, Standing]) -> list[str]:
    """Say which contenders on Temporal needed less than its limit; then it is none, and the run proves nothing."""
    if LIMIT not in standings:
        return []
    limit = standings[LIMIT].own_cpu.median
    return [
        f"{name} needs {standing.own_cpu.median * 1e3:.0f} ms of CPU, less than the {limit * 1e3:.0f} ms of the {LIMIT}"
        for name, standing in standings.items()
        if name in ON_TEMPORAL and standing.own_cpu.median < limit
    ]


def verdict(standings: Mapping[str, Standing]) -> tuple[bool, str]:
    """Return whether the run is a proof that the goal is kept, and the line that says so."""
    if wrong := undercuts(standings):
        return False, f"INVALID: {'; '.join(wrong)}. Measure again on a quieter machine, or with more workflows"
    if not {LIMIT, PIPELINE} <= set(standings):
        return True, "ok: without the limit and the pipeline there is no share to judge"
    share = share_of_the_limit(standings)
    kept = share.median >= GOAL
    return kept, (
        f"{'ok' if kept else 'MISSED'}: {share.median:.2f} of the no-op limit ({share.least:.2f} to {share.most:.2f}) "
        f"by CPU of gateway, worker and Temporal (goal {GOAL:g}); "
        f"{standings[PIPELINE].rate.median:.1f} workflows/s beside {standings[LIMIT].rate.median:.1f}"
    )


def table(standings: Mapping[str, Standing]) -> str:
    """Return the contenders as a table of Markdown, medians with their spreads."""
    lines = [
        "| contender | workflows/s | own CPU, ms each | all CPU, ms each | own memory, MiB | moved, KB each |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {standing.name} | {_said(standing.rate, 1, 1)} | {_said(standing.own_cpu, 1e3, 0)} "
        f"| {_said(standing.all_cpu, 1e3, 0)} | {standing.own_memory:.0f} | {standing.moved / 1e3:.0f} |"
        for standing in standings.values()
    ]
    return "\n".join(lines)


def _said(spread: Spread, scale: float, digits: int) -> str:
    median, least, most = (f"{figure * scale:.{digits}f}" for figure in (spread.median, spread.least, spread.most))
    return f"{median} ({least} to {most})"
