"""What a cell of the atlas says: how the try-on ended, how long it took, what was sent and paid meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.atlas.outages import DEPENDENCIES, LENGTHS, WAYS, Outage
from scenarios.pipeline import ML_RETRY, STEPS, Step, addresses
from scenarios.stories.run import Run

COMPLETED = "COMPLETED"
ACCEPTED = range(200, 300)


@dataclass(frozen=True)
class Cell:
    """One outage, and what came of it. Times are virtual seconds.

    Attributes:
        outcome: COMPLETED, or the code of the failure.
        failed_step: where it failed.
        took_s: the whole try-on.
        after_s: from the dependency's return to the end; None when the try-on had ended before.
        calls: sent to the dependency while it was away.
        in_vain: GPU jobs that were taken, and whose results nobody used.
        problems: what makes the run untrue, or breaks an invariant; such a cell proves nothing.
    """

    outage: Outage
    outcome: str
    failed_step: str | None
    took_s: float
    after_s: float | None
    calls: int
    in_vain: int
    problems: tuple[str, ...] = ()

    @property
    def survived(self) -> bool:
        """Whether the user got pictures."""
        return self.outcome == COMPLETED

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "dependency": self.outage.dependency.name,
            "step": self.outage.step.name,
            "way": self.outage.way,
            "length_s": self.outage.seconds,
            "outcome": self.outcome,
            "failed_step": self.failed_step,
            "took_s": round(self.took_s, 3),
            "after_s": None if self.after_s is None else round(self.after_s, 3),
            "calls": self.calls,
            "gpu_jobs_in_vain": self.in_vain,
            "problems": list(self.problems),
        }


def measure(outage: Outage, run: Run, begins: float, *, ignore: Sequence[str] = ()) -> Cell:
    """Return the cell of a run.

    Args:
        outage: what was away.
        run: the try-on.
        begins: seconds from the dependency's first call to the outage.
        ignore: beginnings of problems that do not count, as those of a policy that was changed on purpose.
    """
    names = set(outage.dependency.addresses)
    times = [call.at for call in run.calls if call.service in names]
    began = min(times, default=0.0) + begins
    back = began + outage.seconds
    took = run.timeline.length
    return Cell(
        outage,
        COMPLETED if run.status == COMPLETED else str(run.error.get("code", run.status)),
        run.error.get("failedStep"),
        took,
        took - back if took > back else None,
        sum(began <= at < back for at in times),
        sum(_in_vain(step, run) for step in STEPS),
        tuple(problem for problem in run.problems if not problem.startswith(tuple(ignore))),
    )


def _in_vain(step: Step, run: Run) -> int:
    """Count the jobs of a step that its service took, but for the one whose result went on."""
    if step.service is None or step.retry != ML_RETRY:  # the services with a GPU have the policy for ML services
        return 0
    names = {f"{address}.{step.work}" for address in addresses(step.service)}
    taken = sum(call.name in names and call.status in ACCEPTED for call in run.calls)
    used = any(a.activity == step.activity and a.outcome == "completed" for a in run.timeline.attempts)
    return taken - used


def survives(cells: Sequence[Cell]) -> Mapping[str, Mapping[str, str]]:
    """Return, for each dependency and way, the longest outage that every step survives, as do all shorter ones.

    Where a cell that proves nothing stands in the way, that much is sure, and a `?` says that it may be more.
    """
    unsure = {(c.outage.dependency.name, c.outage.way, c.outage.length) for c in cells if c.problems}
    lost = {(c.outage.dependency.name, c.outage.way, c.outage.length) for c in cells if not (c.survived or c.problems)}
    seen = {(c.outage.dependency.name, c.outage.way) for c in cells}
    found: dict[str, dict[str, str]] = {}
    for dependency in DEPENDENCIES:
        for way in WAYS:
            if (dependency.name, way) in seen:
                longest = "none"
                for length in LENGTHS:
                    if (dependency.name, way, length) in lost:
                        break
                    if (dependency.name, way, length) in unsure:
                        longest = "?" if longest == "none" else f"{longest} ?"
                        break
                    longest = length
                found.setdefault(dependency.name, {})[way] = longest
    return found


@dataclass(frozen=True)
class Cost:
    """What all cells took together."""

    survived: int
    calls: int
    in_vain: int
    seconds: float


def cost(cells: Sequence[Cell]) -> Cost:
    """Add the cells up."""
    return Cost(
        sum(cell.survived for cell in cells),
        sum(cell.calls for cell in cells),
        sum(cell.in_vain for cell in cells),
        sum(cell.took_s for cell in cells),
    )
