"""`make scenarios REFEREE=1`: what virtual time told is told again by Temporal's own clock, and must agree."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.processes.signals import until_signalled
from scenarios.stories.referee import differences, unfit
from scenarios.stories.run import Run
from scenarios.world.referee import referee_world, tell_referee

AT_ONCE = 8
"""What an attempt waits for is real there, and a busy machine adds to it."""


@dataclass
class Verdict:
    """What the referee says.

    Attributes:
        told: how many scenarios were told by Temporal's clock.
        twice: those of them that differed at first, and agreed alone.
        differing: what differs, by scenario; problems of the other run are among it.
        unfit: why not, by scenario, for the others.
    """

    told: int = 0
    twice: list[str] = field(default_factory=list)
    differing: dict[str, list[str]] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0: all that were told agree; 1: some differ; 2: none could be told."""
        if not self.told:
            return 2
        return 1 if self.differing else 0

    def lines(self) -> list[str]:
        """Return it for people; the last line counts."""
        lines = [f"not told by Temporal's clock: {name}: {why}" for name, why in self.unfit.items()]
        lines += [f"{name} differs:\n    " + "\n    ".join(said) for name, said in self.differing.items()]
        if self.twice:
            lines.append(f"agreed only when told once more, alone, as on a busy machine: {', '.join(self.twice)}")
        agree = self.told - len(self.differing)
        total = self.told + len(self.unfit)
        lines.append(f"{self.told} of {total} scenarios told by Temporal's own clock: {agree} agree with virtual time")
        return lines


def judged_by_referee(
    virtual: Sequence[Run], *, seed: int, done: Callable[[Run], None], on_signal: Callable[[], None]
) -> Verdict:
    """Tell the runs of virtual time again by Temporal's clock, those that differ once more alone.

    Args:
        virtual: what virtual time told.
        seed: it was told with.
        done: called after each.
        on_signal: called at the first signal.

    Raises:
        Stopped: a signal came.
    """
    verdict = Verdict(unfit={run.scenario.name: why for run in virtual if (why := unfit(run))})
    fit = [run for run in virtual if run.scenario.name not in verdict.unfit]
    verdict.told = len(fit)

    async def work() -> int:
        if not fit:
            return 0
        verdict.differing = await _compared(fit, seed, AT_ONCE, done)
        again = [run for run in fit if run.scenario.name in verdict.differing]
        if again:
            still = await _compared(again, seed, 1, done)
            verdict.twice = [name for name in verdict.differing if name not in still]
            verdict.differing = still
        return 0

    asyncio.run(until_signalled(work(), on_signal))
    return verdict


async def _compared(virtual: list[Run], seed: int, at_once: int, done: Callable[[Run], None]) -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory(prefix="scenarios-", ignore_cleanup_errors=True) as home:
        async with referee_world(Path(home), seed=seed) as world:
            scenarios = [run.scenario for run in virtual]
            told = await tell_referee(world, scenarios, seed=seed, at_once=at_once, done=done)
    found = {
        one.scenario.name: [*differences(one, other, attempts), *other.problems]
        for one, (other, attempts) in zip(virtual, told, strict=True)
    }
    return {name: said for name, said in found.items() if said}
