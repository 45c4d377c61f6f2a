"""The search: raise the rate until a threshold breaks, halve the distance, then try the broken rate with more slots."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests import thresholds
from loadtests.drive.load_run import ProgressLine, RunError, Target, run
from loadtests.knee.input import KneeThresholds
from loadtests.knee.model import PERCENTILES, SHAPE, Foresight
from loadtests.knee.sizing import Need, Station, slots_for
from loadtests.measure import bottleneck
from loadtests.measure.bottleneck import PLACES
from loadtests.report.report import number, write_report
from loadtests.run import plan_of
from loadtests.thresholds import Judged, Thresholds

CLOSE = 0.2
"""The knee is as foreseen when it is this close."""
CLOSE_ENOUGH = 1.1
"""The search ends when the lowest broken rate is so many times the highest kept one."""


@dataclass(frozen=True)
class Rate:
    """One rate that was tried. `folder` has its report; `transaction` are its percentiles, in seconds."""

    rate: float
    folder: str
    transaction: dict[str, Any]
    throughput: float
    judged: list[Judged]
    evidence: list[bottleneck.Evidence]
    busiest: str

    @property
    def broken(self) -> list[Judged]:
        """The thresholds that broke."""
        return [item for item in self.judged if not item.kept]

    @property
    def kept(self) -> bool:
        """Whether none broke."""
        return not self.broken


@dataclass(frozen=True)
class Foreseen:
    """What the formulas said once the lowest rate was measured, in try-ons per second.

    `knee` breaks a threshold in a run with these arrivals; of 100 runs with others, 80 have theirs from `low` to
    `high`; `lasting` would break one if it went on for long.
    """

    knee: float
    low: float
    high: float
    lasting: float


@dataclass(frozen=True)
class Proof:
    """The rate that broke, once more with as many slots as the formula says; `why` it was not tried, if it was not."""

    slots: int
    step: Rate | None
    why: str = ""


@dataclass(frozen=True)
class Knee:
    """All that was found, for the terminal, the page and the machine."""

    seconds: float
    seed: int
    stations: list[Station]
    steps: list[Rate]
    foresight: Foresight
    foreseen: Foreseen
    proof: Proof | None
    needs: Sequence[Need] = ()

    @property
    def first(self) -> Station:
        """The station that gives out first, by the profiles."""
        return self.stations[0]

    @property
    def good(self) -> float:
        """The highest rate that was kept."""
        return max(step.rate for step in self.steps if step.kept)

    @property
    def over(self) -> Rate | None:
        """The lowest rate that broke a threshold."""
        return min((step for step in self.steps if not step.kept), key=lambda step: step.rate, default=None)

    @property
    def rate(self) -> float | None:
        """The knee: between the highest kept rate and the lowest broken one, once these are a tenth apart."""
        over = self.over
        return (self.good * over.rate) ** 0.5 if over and over.rate / self.good < CLOSE_ENOUGH else None

    @property
    def ratio(self) -> float | None:
        """The knee that was found as a part of the one that was foreseen."""
        return None if self.rate is None else self.rate / self.foreseen.knee

    @property
    def as_foreseen(self) -> bool:
        """Whether the knee is where the formula had it."""
        return self.ratio is not None and abs(self.ratio - 1) <= CLOSE

    @property
    def doubt(self) -> str:
        """Why the knee may not be the queue's that the formula plays, where the evidence says so."""
        if self.over is None:
            return ""
        names = {f"slots of {self.first.name}"} | ({PLACES} if self.first.name == "a100" else set())
        mine = [item for item in self.over.evidence if item.name in names]
        if not mine or any(item.tight for item in mine):
            return ""
        return (
            f"The formula plays the queue of {self.first.name}, but there its slots were not short "
            f"({mine[0].use:.0%} in use): something else broke the threshold"
        )

    @property
    def passed(self) -> bool:
        """Whether the formulas held: the knee where it was foreseen, and more slots that kept the thresholds."""
        proven = self.proof is not None and (self.proof.step is None or self.proof.step.kept)
        return self.as_foreseen and proven


class Search:
    """Tries rates against one target, each in a folder of its own."""

    def __init__(self, chosen: argparse.Namespace, loaded: Target, limits: KneeThresholds) -> None:
        self._chosen = chosen
        self._loaded = loaded
        self._file = limits
        self._limits: Thresholds | None = None

    async def steps(self, first: Station) -> tuple[list[Rate], Foresight, Foreseen]:
        """Raise the rate until a threshold breaks, then halve the distance until it is within a tenth.

        Raises:
            RunError: the lowest rate breaks a threshold already, or a run cannot be made.
        """
        chosen = self._chosen
        rate = min(chosen.from_rate, 0.6 * first.capacity)
        step = await self.step(rate)
        if not step.kept:
            broken = ", ".join(map(told, step.broken))
            raise RunError(
                f"the first rate, {rate:g}/s, breaks a threshold already: {broken}. Begin lower with --from-rate, or "
                f"have --thresholds that an idle system keeps; its report: {chosen.out / step.folder}"
            )
        assert self._limits is not None
        foresight = foresee(step, first, self._limits, seconds=chosen.seconds, seed=chosen.seed)
        foreseen = Foreseen(
            foresight.knee(rate, chosen.seed), *foresight.spread(rate, chosen.seed), foresight.lasting()
        )
        breaks = ", ".join(foresight.broken(foreseen.knee, chosen.seed)) or "nothing"
        print(
            f"foreseen: {breaks} breaks at {foreseen.knee:.2f}/s with these arrivals; with others from "
            f"{foreseen.low:.2f} to {foreseen.high:.2f}/s in 80 of 100 runs; for long at {foreseen.lasting:.2f}/s",
            flush=True,
        )
        return await climb(self.step, step, factor=chosen.factor, most=chosen.most), foresight, foreseen

    async def prove(
        self,
        steps: Sequence[Rate],
        foresight: Foresight,
        places: int | None,
        scale: Callable[[int], Awaitable[None]],
    ) -> Proof | None:
        """Try the lowest rate that broke with the slots that the formula says it needs; None when none broke.

        Args:
            steps: the rates that were tried.
            foresight: of the station that gives out.
            places: how many calls the workers make to the A100 at once, where that is known.
            scale: gives the station so many slots.
        """
        over = min((step for step in steps if not step.kept), key=lambda step: step.rate, default=None)
        if over is None:
            return None
        station = foresight.station
        slots = slots_for(over.rate, station, longest_waits(foresight)).slots
        if station.name == "a100" and places is not None and slots > places:
            return Proof(
                slots,
                None,
                f"the workers make no more than {places} calls to the A100 at once: raise A100_MAX_CONCURRENT",
            )
        if slots <= station.slots:
            return Proof(
                slots, None, f"by the formula its {station.slots} slots are enough for good: something else broke"
            )
        await scale(slots)
        print(f"with {slots} slots of {station.name}, as the formula says:")
        return Proof(slots, await self.step(over.rate, f"-{slots}-slots"))

    async def step(self, rate: float, name: str = "") -> Rate:
        """Make one run and write its report.

        Raises:
            RunError: no try-on completed, or the run cannot be made.
        """
        chosen = self._chosen
        folder = chosen.out / f"rate-{rate:.3f}{name}"
        folder.mkdir(parents=True, exist_ok=True)
        line = ProgressLine(chosen.seconds)
        plan = plan_of(chosen, rate=rate, shape=SHAPE, drain_s=2 * chosen.seconds)
        try:
            summary = await run(self._loaded, plan, folder, line)
        finally:
            line.close()
        transaction = summary["transaction"]
        if transaction["count"] and self._limits is None:
            self._limits = self._file.beside(transaction)
        judged = thresholds.judge(self._limits or Thresholds(), summary)
        write_report(folder, summary, judged)
        if not transaction["count"]:
            raise RunError(f"at {rate:g}/s no try-on completed; its report: {folder / 'report.html'}")
        step = Rate(
            rate,
            folder.name,
            {name: transaction[name] for name in PERCENTILES},
            summary["throughput"],
            judged,
            bottleneck.evidence(summary),
            bottleneck.verdict(summary),
        )
        print(describe(step), flush=True)
        return step


async def climb(measure: Callable[[float], Awaitable[Rate]], lowest: Rate, *, factor: float, most: int) -> list[Rate]:
    """Return the steps of the way up to the knee, the lowest first, then as they were measured.

    Args:
        measure: makes a run at a rate.
        lowest: the first step, which was kept.
        factor: from each rate to the next until one breaks; then the distance is halved until it is within a tenth.
        most: steps at most.
    """
    steps, good, bad = [lowest], lowest.rate, 0.0
    while len(steps) < most and not (bad and bad / good < CLOSE_ENOUGH):
        rate = (good * bad) ** 0.5 if bad else good * factor
        step = await measure(rate)
        steps.append(step)
        good, bad = (rate, bad) if step.kept else (good, rate)
    return steps


def foresee(lowest: Rate, first: Station, limits: Thresholds, *, seconds: float, seed: int) -> Foresight:
    """Return the formulas, with what a try-on spends outside the station as the lowest rate measured it."""
    alone = Foresight(first, seconds, 0.0, limits).figures(lowest.rate, seed).p50_s
    return Foresight(first, seconds, max(0.0, lowest.transaction["p50_s"] - alone), limits)


def longest_waits(foresight: Foresight) -> dict[float, float]:
    """Return how long calls may wait, in seconds by percentile, for the try-on to keep its thresholds.

    Without a threshold for the try-on's length: the p95 of waits may be as long as the work.
    """
    mean = foresight.station.service.mean
    allowed = foresight.limits.transaction.model_dump(exclude_none=True)
    found = {PERCENTILES[name]: max(0.1, limit - foresight.elsewhere - mean) for name, limit in allowed.items()}
    return found or {95.0: mean}


def told(item: Judged) -> str:
    """Say a threshold with its figure and its limit."""
    unit = " s" if item.name.startswith(("transaction", "start", "status p")) else ""
    return f"{item.name} {number(item.figure)}{unit} (threshold {number(item.limit)}{unit})"


def describe(step: Rate) -> str:
    """Return the line of a rate."""
    word = "kept" if step.kept else "BROKEN: " + ", ".join(map(told, step.broken))
    p95 = number(step.transaction["p95_s"])
    return f"{step.rate:6.2f}/s  p95 {p95:>6} s  completed {step.throughput:.2f}/s  {word}  {step.busiest}"
