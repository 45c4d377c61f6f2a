"""The mix of a load run: scenarios of the catalogue by weight, and how the user of each follows it."""

import json
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from fakes.registry import SERVICES
from scenarios.catalogue import CATALOGUE
from scenarios.scenario import Scenario

DEFAULT = Path(__file__).with_name("mix.yaml")

Follow = Literal["poll", "impatient", "wait", "events"]


class MixError(ValueError):
    """A mix cannot be used; the message says which entry and why."""


class Entry(BaseModel):
    """One line of a mix file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scenario: str
    weight: float = Field(gt=0)
    follow: Follow = "poll"
    cancel_after_s: float | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Case:
    """A scenario as one kind of user lives it."""

    scenario: Scenario
    entry: Entry

    @property
    def name(self) -> str:
        """What the report calls it."""
        words = [self.scenario.name]
        if self.entry.follow != "poll":
            words.append(self.entry.follow)
        if self.entry.cancel_after_s is not None:
            words.append("cancelled")
        return ", ".join(words)

    @property
    def needs(self) -> frozenset[str]:
        """The fakes in which its faults have to be set."""
        return frozenset(rule.service for rule in self.scenario.rules)

    @cached_property
    def body(self) -> bytes:
        """The JSON body of its start. The first use draws the photo, which can take seconds."""
        from scenarios.stories.drawn import request_body  # noqa: PLC0415 - who only reads a mix draws nothing

        return json.dumps({"sessionId": "load"} | request_body(self.scenario)).encode()

    def calls_right(self, outcome: str, code: str | None, *, accepted: bool) -> bool:
        """Say whether the scenario calls this end right: its status and its code, after a start as it expects."""
        expect = self.scenario.expect
        if accepted == (expect.status == "REFUSED"):
            return False
        if outcome == "completed" and code is not None:
            return False
        if self.entry.cancel_after_s is not None:
            return outcome in ("cancelled", "completed")  # the try-on may have been faster than its user
        if expect.status is None:
            return outcome in ("completed", "failed")
        return outcome == expect.status.lower() and expect.code in (None, code)


class Mix:
    """Cases by weight. Which case an arrival is depends on seed and number alone, not on who generates the load."""

    def __init__(self, cases: Sequence[Case], left_out: Sequence[str] = ()) -> None:
        if not cases:
            raise MixError("the mix is empty")
        self.cases = tuple(cases)
        self.left_out = tuple(left_out)
        self._sums = list(accumulate(case.entry.weight for case in cases))

    def choose(self, seed: int, number: int) -> Case:
        """Return the case of the arrival with this number."""
        chance = random.Random(f"mix {seed} {number}")  # noqa: S311 - repeatable load, no secret
        at = chance.random() * self._sums[-1]
        return next(case for case, end in zip(self.cases, self._sums, strict=True) if at < end)

    def prepare(self) -> None:
        """Draw all photos now, so that no arrival waits for one."""
        for case in self.cases:
            _ = case.body


def load_mix(path: Path, *, fakes: Collection[str], catalogue: Sequence[Scenario] = CATALOGUE) -> Mix:
    """Read a mix file. Cases whose faults need other fakes than there are, by service, are left out.

    Raises:
        MixError: the file cannot be read, an entry is wrong, or nothing is left.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MixError(f"the mix {path} cannot be read: {error.strerror}") from None
    return read_mix(text, path, fakes=fakes, catalogue=catalogue)


def read_mix(text: str, path: Path, *, fakes: Collection[str], catalogue: Sequence[Scenario] = CATALOGUE) -> Mix:
    """Read what a mix file says; `path` is where it was, for messages.

    Raises:
        MixError: an entry is wrong, or nothing is left.
    """
    try:
        entries = TypeAdapter(list[Entry]).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise MixError(f"the mix {path} is no YAML: {error}") from None
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise MixError(f"the mix {path}, entry {place}: {problem['msg']}") from None
    known = {scenario.name: scenario for scenario in catalogue}
    cases, left_out = [], []
    for entry in entries:
        scenario = known.get(entry.scenario)
        if scenario is None:
            raise MixError(f"the mix {path} names a scenario that does not exist: {entry.scenario!r}")
        case = Case(scenario, entry)
        # A fault of the blob store would need the fault proxy in the stack.
        if foreign := sorted(case.needs - set(SERVICES)):
            raise MixError(f"the mix {path}: {scenario.name} needs faults of {foreign[0]}, which a load run cannot set")
        if missing := sorted(case.needs - set(fakes)):
            left_out.append(f"{case.name} (needs --fake {missing[0]}=URL)")
        else:
            cases.append(case)
    return Mix(cases, left_out)
