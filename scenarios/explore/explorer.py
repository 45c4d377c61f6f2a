"""The exploration: fault-free runs, then by turns single faults, pairs and swarms; findings by cause, each shrunk.

What comes next depends on the seed and on what was seen, and on nothing else: batches have a fixed size, and their
results are taken in the order of their plans, however many run side by side.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from typing import Generic

from scenarios.explore.application import Application, Placed, PlanT, Progress, Seen, Site
from scenarios.explore.coverage import Coverage
from scenarios.explore.enumerate import Pairs, singles
from scenarios.explore.journal import Journal
from scenarios.explore.known import Known
from scenarios.explore.shrink import Shrunk, shrink

BATCH = 48
QUIET = 400
"""Plans after the single faults that show nothing new, after which it stops by itself."""
TURNS = 3
"""One batch in so many tries single faults, as long as there are any, and one is drawn by chance; others are pairs."""
DRAWN = "drawn"


@dataclass
class Finding(Generic[PlanT]):
    """A cause: the plan that showed it first, how many plans did, and the smallest that does."""

    cause: str
    first: PlanT
    shrunk: Shrunk[PlanT]
    plans: int = 1


@dataclass
class Explored(Generic[PlanT]):
    """What an exploration found. `why` says why it ended."""

    coverage: Coverage
    plans: int = 0
    inconclusive: int = 0
    verdicts: list[tuple[PlanT, Seen]] = field(default_factory=list)
    findings: list[Finding[PlanT]] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    """Causes that are known and accepted, with their reasons."""
    why: str = ""
    seconds: float = 0.0
    """How long it took, by the wall's clock."""


class Explorer(Generic[PlanT]):
    """Explores an application.

    Args:
        application: what is explored.
        seed: decides, with what is seen, what comes next.
        coverage: where what is reached is noted; it knows what is reachable.
        journal: what was run already.
        known: causes that are accepted.
        name: returns a plan's name.
        progress: is told how far it is.
        shrinks: whether findings are made small.
    """

    def __init__(
        self,
        application: Application[PlanT],
        *,
        seed: int,
        coverage: Coverage | None = None,
        journal: Journal | None = None,
        known: Known | None = None,
        name: Callable[[PlanT], str] = str,
        progress: Progress = lambda _plans, _findings: None,
        shrinks: bool = True,
    ) -> None:
        self._application = application
        self._seed = seed
        self._known = known or Known()
        self._name = name
        self._progress = progress
        self._shrinks = shrinks
        self._run = (journal or Journal(None, seed=seed, resume=False)).remembering(application.digest, application.run)
        self._pairs = Pairs(application, seed)
        self._digests: set[str] = set()
        self._quiet = 0
        self.explored: Explored[PlanT] = Explored(coverage or Coverage())
        """What is there so far: for who interrupts it."""

    def explore(self, *, most: int | None = None, over: Callable[[], bool] = lambda: False) -> Explored[PlanT]:
        """Explore until so many plans ran, or `over()` says so, or nothing new comes any more."""
        explored = self.explored
        starts = [Placed(Site("", 0), "", plan) for plan in self._application.starts()]
        begun: list[tuple[PlanT, Seen]] = self._batch(starts if most is None else starts[:most])
        for batch in self._batches(begun):
            left = len(batch) if most is None else most - explored.plans
            if left <= 0:
                explored.why = f"{explored.plans} plans were asked for"
                return explored
            if over():
                explored.why = "the time is over"
                return explored
            self._batch(batch[:left])
        explored.why = f"{self._quiet} plans in a row showed nothing new"
        return explored

    def _batches(self, begun: list[tuple[PlanT, Seen]]) -> Iterator[list[Placed]]:
        systematic, drawn, left = _parts(singles(self._application, begun, self._seed)), self._drawn(), True
        for turn in cycle(range(TURNS)):
            batch: list[Placed] = []
            if left and turn == 0:
                batch = next(systematic, [])
                left = bool(batch)
            if left:
                self._quiet = 0
            elif self._quiet >= QUIET:
                return
            if not batch and turn != TURNS - 1:
                batch = self._fresh(self._pairs.take(BATCH))
            batch = batch or next(drawn)
            if not batch:
                self._quiet += BATCH  # every one that was drawn ran before
            yield batch

    def _drawn(self) -> Iterator[list[Placed]]:
        for first in count(step=BATCH):
            seeds = range(self._seed * 1_000_003 + first, self._seed * 1_000_003 + first + BATCH)
            yield self._fresh([Placed(Site("", 0), DRAWN, self._application.drawn(seed)) for seed in seeds])

    def _fresh(self, batch: list[Placed]) -> list[Placed]:
        """Leave out what ran already."""
        return [each for each in batch if self._application.digest(each.plan) not in self._digests]

    def _batch(self, batch: list[Placed]) -> list[tuple[PlanT, Seen]]:
        fresh = {self._application.digest(each.plan): each for each in batch}
        batch = [each for digest, each in fresh.items() if digest not in self._digests]
        self._digests.update(fresh)
        shown = list(zip(batch, self._run([each.plan for each in batch]), strict=True))
        for placed, seen in shown:
            self._take(placed, seen)
        self._progress(self.explored.plans, len(self.explored.findings))
        return [(placed.plan, seen) for placed, seen in shown]

    def _take(self, placed: Placed, seen: Seen) -> None:
        explored = self.explored
        explored.plans += 1
        explored.verdicts.append((placed.plan, seen))
        new = explored.coverage.take(self._name(placed.plan), seen)
        self._quiet = 0 if new else self._quiet + 1
        if seen.verdict == "inconclusive":
            explored.inconclusive += 1
        elif seen.verdict == "failed":
            self._found(placed.plan, seen)
        elif new and placed.kind:
            self._pairs.add(placed, seen)

    def _found(self, plan: PlanT, seen: Seen) -> None:
        explored = self.explored
        if reason := self._known.reason(seen.cause):
            explored.accepted[seen.cause] = reason
            return
        for finding in explored.findings:
            if finding.cause == seen.cause:
                finding.plans += 1
                return
        small = shrink(self._application, plan, seen, run=self._run) if self._shrinks else Shrunk(plan, seen)
        explored.findings.append(Finding(seen.cause, plan, small))


def _parts(whole: Iterable[Placed]) -> Iterator[list[Placed]]:
    rest = iter(whole)
    while part := list(islice(rest, BATCH)):
        yield part
