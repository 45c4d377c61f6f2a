"""The outages of the atlas: each dependency, away for each length, from each step that needs it, in each way."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fakes.registry import BLOB, SERVICES
from scenarios.histories import activities
from scenarios.pipeline import STEPS, Step, addresses, service_of
from scenarios.scenario import Expect, Rule, Scenario
from scenarios.stories.run import Run

LENGTHS = ("1 s", "3 s", "10 s", "30 s", "1 min", "2 min", "5 min", "30 min", "24 h")
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}

WAYS: Mapping[str, Mapping[str, Any]] = {
    "refused": {"kind": "refuse"},
    "hangs": {"kind": "hang"},
    "503": {"kind": "status", "status": 503},
    "429": {"kind": "status", "status": 429, "retry_after": 30},
    "idle": {"kind": "garbage", "body": "<html>We will be back soon.</html>"},
}
"""How a dependency is away. `idle` answers without doing: a holding page, and for a job one that is never worked on."""
STUCK = {"kind": "job_stuck"}

STROKES = ({"points": [{"x": 0.5, "y": 0.6}, {"x": 0.52, "y": 0.61}], "mode": "add", "size": 20},)
PHOTO = "far"
"""With it and the stroke a try-on takes every step."""
STEP_S = 3.0
"""What each service takes for its work, and the store to take the photo: no step's calls touch those of the next."""


@dataclass(frozen=True)
class Dependency:
    """What can be away: its name on the map, and the addresses that are away together."""

    name: str
    addresses: tuple[str, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that call it."""
        return tuple(step for step in STEPS if self._serves(step))

    def _serves(self, step: Step) -> bool:
        if self.addresses == (BLOB.name,):
            return step.blob
        return step.service is not None and step.service == service_of(self.addresses[0])


def _dependencies() -> tuple[Dependency, ...]:
    found = [Dependency("Azure", (BLOB.name,))]
    for service in SERVICES.values():
        names = addresses(service.name)
        found.append(Dependency(service.title if len(names) == 1 else f"one {service.title}", names[:1]))
        if len(names) > 1:
            found.append(Dependency(f"all {service.title}s", names))
    return tuple(found)


DEPENDENCIES = _dependencies()


@dataclass(frozen=True)
class Outage:
    """A cell of the atlas."""

    dependency: Dependency
    step: Step
    way: str
    length: str

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        number, unit = self.length.split()
        return float(number) * UNITS[unit]


def outages(words: Sequence[str] = ()) -> list[Outage]:
    """Return the cells whose names hold one of the words; all of them without words."""
    cells = [
        Outage(dependency, step, way, length)
        for dependency in DEPENDENCIES
        for step in dependency.steps
        for way in WAYS
        for length in LENGTHS
    ]
    return [cell for cell in cells if not words or any(word in name(cell) for word in words)]


def name(cell: Outage) -> str:
    """Return the name of a cell: what a scenario is called, and what `ONLY=` looks for."""
    parts = (cell.dependency.name, cell.step.name, cell.way, cell.length)
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower())


def undisturbed(busy: Sequence[Rule] = ()) -> Scenario:
    """Return the try-on that takes every step, with nothing away: from it come the instants at which steps begin."""
    return Scenario(
        name="undisturbed",
        story="Nothing is away.",
        theme="atlas",
        photo=PHOTO,
        strokes=STROKES,
        rules=tuple(busy or working()),
        expect=Expect(),
    )


def working(but: Step | None = None, of: Dependency | None = None) -> list[Rule]:
    """Return rules by which each step takes its time, so that none touches the next.

    Args:
        but: a step which takes none, since what does its work is away.
        of: what that is.
    """
    rules = [] if but is STEPS[0] else [Rule(BLOB.name, "put", {"kind": "delay", "seconds": STEP_S}, calls="1")]
    for step in STEPS:
        for address in addresses(step.service) if step.service else ():
            if step is but and of is not None and address in of.addresses:
                continue
            kind = "job_slow" if step.job else "delay"
            rules.append(Rule(address, step.work, {"kind": kind, "seconds": STEP_S}, must_fire=False))
    return rules


class CallAt(Protocol):
    """A call: to whom, and when."""

    @property
    def service(self) -> str:
        """Its name in rules."""

    @property
    def at(self) -> float:
        """Seconds since the try-on began."""


class Beginnings:
    """When each step first calls each dependency, in seconds since the dependency's first call of a try-on."""

    def __init__(self, windows: Mapping[str, tuple[float, float | None]], calls: Sequence[CallAt]) -> None:
        """Take what the undisturbed try-on did: when each activity's attempt began and ended, and every call."""
        self._windows = windows
        self._calls = calls

    def of(self, dependency: Dependency, step: Step) -> float:
        """Return the seconds."""
        began, ended = self._windows[step.activity]
        times = [call.at for call in self._calls if call.service == dependency.addresses[0]]
        within = [at for at in times if began <= at and (ended is None or at <= ended)]
        if step is not STEPS[0] and dependency.addresses == (BLOB.name,):
            # At the instant at which a step begins, the one before it looked whether its picture is there.
            within = [at for at in within if at > began]
        return min(within) - min(times)


def beginnings_of(run: Run) -> Beginnings:
    """Return the beginnings in an undisturbed run, in virtual or in real time."""
    if run.virtual:
        return Beginnings({each.activity: (each.began, each.ended) for each in run.timeline.attempts}, run.calls)
    assert run.history is not None, "it was looked at inside"
    since = run.timeline.since_began
    windows = {
        each.name: (since(each.began or each.scheduled), since(each.ended) if each.ended else None)
        for each in activities(run.history.events)
    }
    return Beginnings(windows, run.calls)


def scenario(cell: Outage, begins: float) -> Scenario:
    """Return the story of a cell. Nothing is expected of it: the atlas says what is so.

    Args:
        cell: what is away.
        begins: seconds from the dependency's first call to the outage.
    """
    return Scenario(
        name=name(cell),
        story=f"{cell.dependency.name} is away ({cell.way}) for {cell.length} from {cell.step.name} on.",
        theme="atlas",
        photo=PHOTO,
        strokes=STROKES,
        rules=(*_rules(cell, begins), *working(cell.step, cell.dependency)),
        expect=Expect(status=None),
    )


def _rules(cell: Outage, begins: float) -> list[Rule]:
    rules = []
    for place, address in enumerate(cell.dependency.addresses):
        # A second address is asked only once the first is away, and counts its seconds from then on.
        when = {"after_s": 0 if place else begins, "for_s": cell.seconds}
        jobs = SERVICES[address].operations if address in SERVICES else ()
        if cell.way == "idle" and any(operation.job for operation in jobs):
            rules.append(Rule(address, "submit", STUCK, when=when, must_fire=False))
        else:
            rules.append(Rule(address, "*", WAYS[cell.way], when=when, must_fire=False))
    return rules
