"""Does the atlas agree with real time? With every outage of `make chaos`, and with cells drawn by a seed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from fakes.kit.client import AsyncControl
from fakes.registry import BLOB, SERVICES
from scenarios.atlas.measured import measure
from scenarios.atlas.outages import (
    DEPENDENCIES,
    Dependency,
    Outage,
    beginnings_of,
    name,
    outages,
    scenario,
    undisturbed,
)
from scenarios.chaos.case import Case
from scenarios.chaos.site import another_a100, two_a100s
from scenarios.chaos.table import CASES
from scenarios.pipeline import BY_NAME, SPARES, Step
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.live import LivePlace
from scenarios.stack.ports import Ports
from scenarios.stack.programs import ACCOUNT, ALL_PARTS, BETWEEN, Options
from scenarios.stack.stack import Stack
from scenarios.stories.run import Run
from scenarios.stories.runner import Runner
from scenarios.world.simulation import Simulation

End = tuple[str, str | None]
"""COMPLETED or a code, and the step that failed."""

LONGEST_S = 60.0
"""Cells of longer outages are not tried in real time."""
EARLY_S = 0.7
"""In real time an outage begins so long before the call that it is to meet, for calls come when they come."""
UNDER_WAY_S = 1.0
"""An outage of `make chaos` begins once a job is taken, not before."""


@dataclass(frozen=True)
class Struck:
    """An outage of `make chaos` as the atlas has them, how much later it begins, and the case that says its end."""

    outage: Outage
    later_s: float
    case: Case


def struck() -> Iterator[Struck]:
    """Yield the outages of the chaos table.

    Raises:
        ValueError: the table has an outage that is not known here.
    """
    for case in CASES:
        if " down" in case.fault:
            yield _struck(case)


def _struck(case: Case) -> Struck:
    step = BY_NAME[case.step]
    what, _, rest = case.fault.partition(" down")
    length = rest.removeprefix(" for ").partition(",")[0] or "40 s"
    return Struck(Outage(_away(what, step), step, "refused", length), UNDER_WAY_S if step.job else 0.0, case)


def _away(what: str, step: Step) -> Dependency:
    by_name = {each.name: each for each in DEPENDENCIES}
    if what == "Azurite":
        return by_name["Azure"]
    if what in {"one A100 of two", "every A100"}:
        return by_name["one A100" if what.startswith("one") else "all A100s"]
    if what == "service" and step.service and step.service not in SPARES:
        return by_name[SERVICES[step.service].title]
    raise ValueError(f"make chaos has an outage of {what!r} at {step.name}, which the atlas does not know")


def drawn(seed: int, count: int) -> list[Outage]:
    """Return cells of at most a minute, drawn by a seed."""
    short = [each for each in outages() if each.seconds <= LONGEST_S]
    return Random(seed).sample(short, count)  # noqa: S311 - a draw that can be drawn again, no secret


@asynccontextmanager
async def real_place(home: Path) -> AsyncIterator[LivePlace]:
    """Start a stack in which everything can be away in real time: the store by its proxy, and a second A100."""
    ports, spare = Ports.free(), reserve_port()
    azurite = f"http://{HOST}:{ports.azurite}/{ACCOUNT}"
    options = Options(
        parts=ALL_PARTS | BETWEEN,
        profile="instant",
        temporal_ui=False,
        extra={"*": two_a100s(ports, spare), "gateway": {"AZURE_BLOB_ENDPOINT": azurite}},
    )
    async with Stack(home=home, ports=ports, options=options) as stack, another_a100(stack, spare) as second:
        urls = {name: stack.urls[name] for name in (*SERVICES, BLOB.name)} | dict.fromkeys(SPARES.values(), second)
        controls = {name: AsyncControl(url) for name, url in urls.items()}
        try:
            yield LivePlace(stack.urls["gateway"], await stack.temporal(), controls)
        finally:
            for control in controls.values():
                await control.close()


@dataclass(frozen=True)
class Pair:
    """One outage, as the atlas has it and as it was elsewhere: outcome and failed step of each."""

    what: str
    atlas: End
    other: End

    def __str__(self) -> str:
        sign = "=" if self.atlas == self.other else "NOT"
        return f"{sign:4}{self.what}: {_said(self.atlas)}" + ("" if sign == "=" else f"; elsewhere {_said(self.other)}")


def _said(end: End) -> str:
    return " in ".join(word for word in end if word)


def beside_chaos(simulation: Simulation) -> list[Pair]:
    """Tell every outage of the chaos table in virtual time, beside the end that it has in real time."""
    beginnings = beginnings_of(simulation.run(undisturbed()))
    found = list(struck())
    begins = [beginnings.of(each.outage.dependency, each.outage.step) + each.later_s for each in found]
    runs = simulation.run_all([scenario(each.outage, at) for each, at in zip(found, begins, strict=True)])
    return [
        Pair(each.case.name, _end(each.outage, run, at), (each.case.code or each.case.status, _step(each.case)))
        for each, run, at in zip(found, runs, begins, strict=True)
    ]


def _step(case: Case) -> str | None:
    return (case.failed_step or case.step) if case.status == "FAILED" else None


def _end(outage: Outage, run: Run, begins: float) -> End:
    cell = measure(outage, run, begins)
    return cell.outcome, cell.failed_step


async def in_real_time(cells: Sequence[Outage], home: Path, seed: int) -> list[End]:
    """Run cells side by side on a stack of their own, and return their ends."""
    async with real_place(home) as place:
        runner = Runner(place, seed=f"atlas-{seed}", replays=False)
        try:
            calm = await runner.run(undisturbed())
            beginnings = beginnings_of(calm)
            begins = [max(0.0, beginnings.of(each.dependency, each.step) - EARLY_S) for each in cells]
            stories = [
                scenario(replace(each, length=f"{each.seconds + (EARLY_S if at else 0):g} s"), at)
                for each, at in zip(cells, begins, strict=True)
            ]
            runs = await runner.run_all(stories)
        finally:
            await runner.close()
    return [_end(each, run, at) for each, run, at in zip(cells, runs, begins, strict=True)]


def in_virtual_time(cells: Sequence[Outage], simulation: Simulation) -> list[End]:
    """Run the same cells as the atlas does."""
    beginnings = beginnings_of(simulation.run(undisturbed()))
    begins = [beginnings.of(each.dependency, each.step) for each in cells]
    runs = simulation.run_all([scenario(each, at) for each, at in zip(cells, begins, strict=True)])
    return [_end(each, run, at) for each, run, at in zip(cells, runs, begins, strict=True)]


def beside_real_time(simulation: Simulation, home: Path, seed: int, count: int) -> list[Pair]:
    """Tell cells that are drawn by a seed in virtual time and in real time."""
    cells = drawn(seed, count)
    virtual = in_virtual_time(cells, simulation)
    real = asyncio.run(in_real_time(cells, home, seed))
    return [Pair(name(each), one, other) for each, one, other in zip(cells, virtual, real, strict=True)]
