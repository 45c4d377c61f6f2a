"""One history told again in virtual time, or a folder of them: which go the same way, and why the others do not."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from random import Random

from temporalio.api.history.v1 import HistoryEvent

from scenarios.explore.tryon.drawn import drawn
from scenarios.histories import write
from scenarios.model import stories
from scenarios.plans import Plan, scenario_of
from scenarios.reproduce.exported import as_production, sequence
from scenarios.reproduce.facts import CUT_OFF, TIMED_OUT, Facts, NoTryOnError, differs, events_of, named, of_history
from scenarios.reproduce.inference import Inferred, infer
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation

WORKER = (
    "its worker died or was starved in the middle of an attempt, and more than once, or otherwise than a death at one "
    "instant explains; its log and its restarts say more"
)


@dataclass
class Retold:
    """One try-on, told again.

    Attributes:
        where: the file, or the workflow.
        differs: where end, code, step, attempts or the sequence of events differ from production's.
        seconds: where only durations do, by more than their grain.
    """

    where: str
    facts: Facts
    inferred: Inferred
    differs: list[str] = field(default_factory=list)
    seconds: list[str] = field(default_factory=list)

    @property
    def why(self) -> str:
        """Why it did not go the same way; nothing when it did."""
        if not self.differs:
            return ""
        if any({TIMED_OUT, CUT_OFF} & {each.outcome, each.earlier} for each in self.facts.tried):
            return WORKER
        return "; ".join([*(f"nothing explains {each}" for each in self.inferred.missing), *self.differs[:1]])


def retold(where: str, events: Sequence[HistoryEvent], inferred: Inferred, run: Run) -> Retold:
    """Return how a run goes beside the history that it was inferred from."""
    facts = of_history(list(events), where)
    if run.history is None:
        return Retold(where, facts, inferred, [f"the start was refused: {run.error.get('code')}"])
    seen = list(as_production(run).events)
    known_way, seen_way = sequence(events), sequence(seen)
    pairs = zip_longest(seen_way, known_way, fillvalue="nothing")
    found = [
        f"event {place}: {one}; in production {other}" for place, (one, other) in enumerate(pairs, 1) if one != other
    ]
    now = of_history(seen, where)
    if (now.status, now.code, now.step) != (facts.status, facts.code, facts.step):
        found.append(f"the end is {now.way()[-1]}; in production {facts.way()[-1]}")
    return Retold(where, facts, inferred, found, [] if found else differs(facts, now))


def histories_in(folder: Path) -> dict[str, list[HistoryEvent]]:
    """Return the events of each history in a folder and those below, by its name there.

    Raises:
        NoTryOnError: a file is no history of a try-on that has ended, or there is none.
    """
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise NoTryOnError(f"{folder}: holds no *.json; `make soak` and `make chaos` leave histories in EXPORT=folder")
    found = {str(each.relative_to(folder)): events_of(each.read_text(encoding="utf-8"), str(each)) for each in files}
    for where, events in found.items():
        of_history(events, where)
    return found


def all_of(
    histories: Mapping[str, list[HistoryEvent]],
    simulation: Simulation,
    done: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Retold]:
    """Tell every try-on again that failed, was cancelled or recovered."""
    pending = []
    for where, events in histories.items():
        facts = of_history(events, where)
        if not facts.calm:
            inferred = infer(facts, named(facts))
            pending.append((where, events, inferred, simulation.submit(scenario_of(inferred.plan))))
    for number, (where, events, inferred, run) in enumerate(pending, 1):
        yield retold(where, events, inferred, run.result())
        done(number, len(pending))


def export_drawn(folder: Path, simulation: Simulation, count: int, seed: int) -> None:
    """Play random plans that end in trouble, or recover, and leave their histories in the form of production."""
    chance = Random(seed)  # noqa: S311 - a draw that can be drawn again, no secret
    for run in simulation.run_all(map(scenario_of, _troubled(chance, count))):
        write(as_production(run), folder)


def _troubled(chance: Random, count: int) -> Iterable[Plan]:
    found = 0
    while found < count:
        plan = drawn(chance)
        story = stories(plan)[0]
        calm = story.status == "COMPLETED" and all(each.number == 1 for each in story.attempts)
        if not calm and story.status != "REFUSED":
            found += 1
            yield plan


def summed_up(told: Sequence[Retold]) -> list[str]:
    """Return in lines how many went the same way, and why each of the others did not."""
    other = [each for each in told if each.differs]
    lines = [f"{len(told) - len(other)} of {len(told)} try-ons go the same way"]
    ambiguous = sum(each.inferred.ambiguous for each in told)
    late = sum(bool(each.seconds) for each in told)
    lines.append(f"more than one kind of fault fits {ambiguous} of them; the seconds of {late} are not to their grain")
    lines += [f"  {each.where}: {each.facts.way()[-1]}: {each.why}" for each in other]
    return lines
