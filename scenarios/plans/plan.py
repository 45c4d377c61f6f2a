"""What a plan is: version 1 of the JSON, what is wrong with one that is refused, its way to a scenario and back."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from scenarios.photos import PHOTOS
from scenarios.scenario import Act as UserAct, Departure as Leaving, Doing, Expect, Lost as Losses, Rule, Scenario

VERSION = 1
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class PlanInvalid(Exception):  # noqa: N818 - reads as what it is: this plan is invalid
    """A plan cannot be used. The message has a line for each thing that is wrong: where, what, and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Point(_Strict):
    """A point that the user sets, in shares of width and height; label 1 where the jewellery goes, 0 where not."""

    x: Share
    y: Share
    label: Literal[0, 1]


class Spot(_Strict):
    """A point of a stroke, in shares of width and height."""

    x: Share
    y: Share


class Stroke(_Strict):
    """A stroke of the brush; `size` is its diameter in pixels of the resized picture."""

    points: Annotated[tuple[Spot, ...], Field(min_length=1)]
    mode: Literal["add", "remove"]
    size: Annotated[float, Field(ge=1, le=500)]


class PlannedRule(_Strict):
    """What a service does wrong, and when: a rule of the fakes (docs/fakes.md), for this try-on alone."""

    service: str
    operation: str
    fault: dict[str, Any]
    calls: str | None = None
    when: dict[str, Any] = Field(default_factory=dict)
    must_fire: bool = True
    _rule: Rule | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        self._rule = Rule(self.service, self.operation, self.fault, self.calls, self.when, self.must_fire)
        return self

    def rule(self) -> Rule:
        """Return the rule as scenarios have it."""
        assert self._rule is not None, "it was made when this was validated"
        return self._rule

    def but(self, **parts: Any) -> "PlannedRule":
        """Return the rule with other parts.

        Raises:
            ValidationError: a word of it is none that the fakes know.
        """
        return PlannedRule.model_validate(self.model_dump() | parts)


class Act(_Strict):
    """What the user does.

    Attributes:
        do: `cancel`; `repeat` the start with the same key and body; `repeat_other` with another body; ask for the
            `status`; `wait` for the end, or `wait_briefly`, which is over at once; follow the `events`, dropped after
            the first one and taken up again after that, `events_anew` without saying which was the last,
            `events_late` only after the end; ask `from_pages` of several origins.
        at: the virtual second; or `accepted`, right after the start was; or `end`, once the try-on has ended.
    """

    do: Doing
    at: Seconds | Literal["accepted", "end"]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.do == "cancel" and self.at == "accepted":
            raise ValueError("a cancel is at a virtual second, or at `end`: for at once say 0")
        return self


class Away(_Strict):
    """A service that nobody reaches for a while, in virtual seconds since the try-on's first call to it.

    An A100 that moves is `a100` away; the store away from t to u is `blob`. `until_s` null: it does not come back.
    """

    service: str
    from_s: Seconds = 0
    until_s: Seconds | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError(f"until_s is {self.until_s:g}, and must be after from_s, {self.from_s:g}")
        self.rule()
        return self

    def rule(self) -> Rule:
        """Return the rule that makes it so.

        Raises:
            ValueError: there is no such service.
        """
        when = {"after_s": self.from_s} | ({} if self.until_s is None else {"for_s": self.until_s - self.from_s})
        return Rule(self.service, "*", {"kind": "refuse"}, when=when, must_fire=False)


class Departure(_Strict):
    """A worker that leaves, in virtual seconds since the try-on began; no attempt begins until a new one is there.

    `drain_s` is how long what runs may go on, before it is cut off; null for a worker that dies without a word.
    """

    at: Seconds
    back_at: Seconds
    drain_s: Seconds | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.back_at < self.at:
            raise ValueError(f"back_at is {self.back_at:g}, and must not be before at, {self.at:g}")
        return self


class Lost(_Strict):
    """How many of Temporal's first answers to the gateway are lost, once what was asked for is done."""

    start: Annotated[int, Field(ge=0, le=6)] = 0
    cancel: Annotated[int, Field(ge=0, le=3)] = 0


class Plan(_Strict):
    """One try-on: what the user sends and does, what the services do wrong, what happens around, who else is there.

    `points` null: one on the neck and one in a corner. `body` and `headers` are changes to the request of the start.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=120)]
    story: Annotated[str, Field(min_length=1)]
    photo: str = "near"
    points: tuple[Point, ...] | None = None
    strokes: tuple[Stroke, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    acts: tuple[Act, ...] = ()
    around: tuple[Away, ...] = ()
    departures: tuple[Departure, ...] = ()
    lost: Lost = Lost()
    beside: tuple["Plan", ...] = ()
    body: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("photo")
    @classmethod
    def _a_photo(cls, value: str) -> str:
        if value not in PHOTOS:
            raise ValueError(f"no such photo: {value!r}; there are {', '.join(PHOTOS)}")
        return value

    @model_validator(mode="after")
    def _one_cancel(self) -> Self:
        if len([act for act in self.acts if act.do == "cancel" and not isinstance(act.at, str)]) > 1:
            raise ValueError("acts: one cancel at a virtual second is the most; a later one meets a try-on that ended")
        return self

    @model_validator(mode="after")
    def _one_worker_at_a_time(self) -> Self:
        if wrong := next((later for one, later in pairwise(self.departures) if later.at <= one.back_at), None):
            raise ValueError(f"departures: one at {wrong.at:g} s, before there is a new worker")
        return self

    @property
    def cancel_at(self) -> float | None:
        """The virtual second of the cancel, None without one."""
        return next((act.at for act in self.acts if act.do == "cancel" and not isinstance(act.at, str)), None)


def read_plan(where: Path) -> Plan:
    """Read a plan from a file.

    Raises:
        PlanInvalid: it is not there, is no JSON, or is no plan that can be used.
    """
    try:
        text = where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise PlanInvalid(f"{where}: cannot be read: {why}") from error
    return parsed(text, str(where))


def parsed(text: str, where: str) -> Plan:
    """Return the plan in a text; `where` is its name in messages.

    Raises:
        PlanInvalid: it is no JSON, or no plan that can be used.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise PlanInvalid(f"{where}: is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise PlanInvalid(f"{where}: a plan is a JSON object, as `make explore` writes them (docs/exploring.md)")
    if data.get("version") != VERSION:
        said = "has no version" if "version" not in data else f"is of version {data['version']!r}"
        raise PlanInvalid(f'{where}: {said}; this harness reads version {VERSION}: give "version": {VERSION}')
    try:
        return Plan.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [f"{where}: {_place(each['loc'])}{each['msg'].removeprefix('Value error, ')}" for each in problems]
        raise PlanInvalid("\n".join(lines)) from error


def _place(location: tuple[int | str, ...]) -> str:
    """Return `rules[0].fault.kind: ` for ("rules", 0, "fault", "kind"); nothing for the plan itself."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{words.removeprefix('.')}: " if words else ""


def written(plan: Plan) -> str:
    """Return the plan as JSON for people: what is as usual is left out, the version stands first."""
    return json.dumps({"version": VERSION, **_said(plan)}, indent=2, ensure_ascii=False) + "\n"


def _said(plan: Plan) -> dict[str, Any]:
    said = plan.model_dump(mode="json", exclude_defaults=True)
    if plan.beside:
        said["beside"] = [{"version": VERSION, **_said(other)} for other in plan.beside]
    return said


def scenario_of(plan: Plan, expect: Expect | None = None) -> Scenario:
    """Return the scenario of a plan. Without an expectation nothing but the invariants is looked at."""
    return Scenario(
        name=plan.name,
        story=plan.story,
        theme="plans",
        photo=plan.photo,
        points=None if plan.points is None else tuple((each.x, each.y, each.label) for each in plan.points),
        strokes=tuple(stroke.model_dump(mode="json") for stroke in plan.strokes),
        rules=(*(each.rule() for each in plan.rules), *(each.rule() for each in plan.around)),
        cancel_at=plan.cancel_at,
        departures=tuple(Leaving(each.at, each.back_at, each.drain_s) for each in plan.departures),
        lost=Losses(plan.lost.start, plan.lost.cancel),
        acts=tuple(UserAct(act.do, act.at) for act in plan.acts if act.do != "cancel" or isinstance(act.at, str)),
        beside=tuple(scenario_of(other) for other in plan.beside),
        body=plan.body,
        headers=plan.headers,
        expect=expect or Expect(status=None),
    )


def plan_of(scenario: Scenario) -> Plan:
    """Return the plan of a scenario: all of it but what must come out, which a plan leaves to the model."""
    return Plan(
        name=scenario.name,
        story=scenario.story,
        photo=scenario.photo,
        points=None
        if scenario.points is None
        else tuple(Point(x=x, y=y, label=1 if label else 0) for x, y, label in scenario.points),
        strokes=tuple(Stroke.model_validate(dict(stroke)) for stroke in scenario.strokes),
        rules=tuple(
            PlannedRule(
                service=rule.service,
                operation=rule.operation,
                fault=dict(rule.fault),
                calls=rule.calls,
                when=dict(rule.when),
                must_fire=rule.must_fire,
            )
            for rule in scenario.rules
        ),
        acts=(
            *(() if scenario.cancel_at is None else (Act(do="cancel", at=scenario.cancel_at),)),
            *(Act(do=act.do, at=act.at) for act in scenario.acts),
        ),
        departures=tuple(
            Departure(at=each.at, back_at=each.back_at, drain_s=each.drain_s) for each in scenario.departures
        ),
        lost=Lost(start=scenario.lost.start, cancel=scenario.lost.cancel),
        beside=tuple(plan_of(other) for other in scenario.beside),
        body=dict(scenario.body),
        headers=dict(scenario.headers),
    )
