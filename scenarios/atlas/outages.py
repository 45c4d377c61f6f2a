"""The outages of the atlas: each dependency, away for each length, from each step that needs it, in each way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fakes.registry import BLOB, SERVICES
from scenarios.pipeline import STEPS, Step, addresses, service_of
from scenarios.scenario import Expect, Rule, Scenario
from scenarios.stories.run import Run

LENGTHS: Mapping[str, float] = {
    "1 s": 1,
    "3 s": 3,
    "10 s": 10,
    "30 s": 30,
    "1 min": 60,
    "2 min": 120,
    "5 min": 300,
    "30 min": 1800,
    "24 h": 86_400,
}
"""Virtual seconds by their names."""

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
        return LENGTHS[self.length]


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
    return "-".join(part.lower().replace(" ", "-").replace("_", "-") for part in parts)


def undisturbed() -> Scenario:
    """Return the try-on that takes every step, with nothing away: from it come the instants at which steps begin."""
    return Scenario(
        name="undisturbed", story="Nothing is away.", theme="atlas", photo=PHOTO, strokes=STROKES, expect=Expect()
    )


class Beginnings:
    """When each step first calls each dependency, in seconds since the dependency's first call of a try-on."""

    def __init__(self, run: Run) -> None:
        """Take the undisturbed run."""
        self._windows = {attempt.activity: (attempt.began, attempt.ended) for attempt in run.timeline.attempts}
        self._calls = run.calls

    def of(self, dependency: Dependency, step: Step) -> float:
        """Return the seconds."""
        began, ended = self._windows[step.activity]
        times = [call.at for call in self._calls if call.service == dependency.addresses[0]]
        first = min(at for at in times if began <= at and (ended is None or at <= ended))
        # Steps without virtual length touch each other: what the step before asked at the same instant is its own too.
        return first - min(times)


def scenario(cell: Outage, beginnings: Beginnings) -> Scenario:
    """Return the story of a cell. Nothing is expected of it: the atlas says what is so."""
    return Scenario(
        name=name(cell),
        story=f"{cell.dependency.name} is away ({cell.way}) for {cell.length} from {cell.step.name} on.",
        theme="atlas",
        photo=PHOTO,
        strokes=STROKES,
        rules=tuple(_rules(cell, beginnings.of(cell.dependency, cell.step))),
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
