"""What a plan is: version 1 of the JSON, and what no plan may say."""

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from scenarios.photos import PHOTOS, unknown
from scenarios.scenario import BY_KEY, NO_KEYS, ONLY_AT_THE_END, UNREAD, Doing, Heard, Rule

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


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

    @cached_property
    def sent(self) -> dict[str, Any]:
        """What the user sends of it. It is asked for whenever the plan is tried in another form."""
        return self.model_dump(mode="json")


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


class PlannedAct(_Strict):
    """What the user does.

    Attributes:
        do: `cancel`; `repeat` the start with the same key and body; `repeat_other` with another body; ask for the
            `status`; `wait` for the end, or `wait_briefly`, which is over at once, or `wait_through` some steps for a
            second of wall time, or wait in a `crowd`, some of which leave; follow the `events`, dropped after the
            first one and taken up again after that, `events_anew` without saying which was the last, `events_late`
            only after the end; ask `from_pages` of several origins; ask for the backend's `health`; ask Temporal for
            the `progress`; ask as a `stranger`, without a key, or with the key in each way in which it may come
            (`keyed`); ask for results that the store has lost (`results_gone`), one of them
            (`fidelity_gone`), with their container (`results_nowhere`), cannot give now (`results_busy`), or gives to
            nobody (`results_refused`).
        at: the virtual second; or `start`, at once with the start, for a `repeat` of it; or `accepted`, right after
            the start was; or `end`, once the try-on has ended.
        heard: of a cancel at a virtual second, when the attempt that runs then hears of it: `at_once`, or with its
            `next_heartbeat`, by which it may have ended, or never: it reaches Temporal `after_the_end`.
    """

    do: Doing
    at: Seconds | Literal["start", "accepted", "end"]
    heard: Heard = "at_once"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.do == "cancel" and self.at == "accepted":
            raise ValueError("a cancel is at a virtual second, or at `end`: for at once say 0")
        if self.do != "repeat" and self.at == "start":
            raise ValueError(f"{self.do} at `start`: only a repeat of the start can be at once with it")
        if self.heard != "at_once" and (self.do != "cancel" or isinstance(self.at, str)):
            raise ValueError(f"heard is said of a cancel at a virtual second, not of {self.do} at {self.at!r}")
        if self.do in UNREAD and self.at != "end":
            raise ValueError(ONLY_AT_THE_END)
        if self.do == "progress" and self.at == "accepted":
            raise ValueError("progress at `accepted`: the workflow may not have begun; say 0, a later second, or `end`")
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


class PlannedDeparture(_Strict):
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


class PlannedLosses(_Strict):
    """What goes wrong between the gateway and Temporal.

    Attributes:
        start, cancel: how many of Temporal's first answers to a start, to a cancel, are lost, once that was done.
        refused: how often Temporal then refuses a start outright.
        keyless: whether the user sends the start without an Idempotency-Key at first, of which Temporal never hears.
    """

    start: Annotated[int, Field(ge=0, le=6)] = 0
    cancel: Annotated[int, Field(ge=0, le=3)] = 0
    refused: Annotated[int, Field(ge=0, le=3)] = 0
    keyless: bool = False

    @property
    def of_a_start(self) -> bool:
        """Whether any of it is of a start."""
        return bool(self.start or self.refused or self.keyless)


class PlannedStaging(_Strict):
    """How the blob store refuses the photo to the gateway: with an HTTP status and its own word, so many times."""

    status: Annotated[int, Field(ge=400, le=599)]
    code: Annotated[str, Field(pattern=r"^[A-Za-z]+$")]
    times: Annotated[int, Field(ge=1)] = 99


class Plan(_Strict):
    """One try-on: what the user sends and does, what the services do wrong, what happens around, who else is there.

    `points` null: one on the neck and one in a corner. `body` and `headers` are changes to the request of the
    start; spaces fill its body up to `size`. `guarded`: the gateway has API keys, of which the user sends one.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=120)]
    story: Annotated[str, Field(min_length=1)]
    photo: str = "near"
    points: tuple[Point, ...] | None = None
    strokes: tuple[Stroke, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    acts: tuple[PlannedAct, ...] = ()
    around: tuple[Away, ...] = ()
    departures: tuple[PlannedDeparture, ...] = ()
    lost: PlannedLosses = PlannedLosses()
    staging: PlannedStaging | None = None
    guarded: bool = False
    beside: tuple["Plan", ...] = ()
    body: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    size: Annotated[int, Field(ge=0, le=2**26)] = 0

    @field_validator("photo")
    @classmethod
    def _a_photo(cls, value: str) -> str:
        if value not in PHOTOS:
            raise ValueError(unknown(value))
        return value

    @model_validator(mode="after")
    def _one_cancel(self) -> Self:
        if len([act for act in self.acts if act.do == "cancel" and not isinstance(act.at, str)]) > 1:
            raise ValueError("acts: one cancel at a virtual second is the most; a later one meets a try-on that ended")
        return self

    @model_validator(mode="after")
    def _known_whose_answer_is_lost(self) -> Self:
        if self.crosses:
            raise ValueError("lost: answers to a start that is repeated meanwhile; nobody knows whose would be lost")
        return self

    @model_validator(mode="after")
    def _strange_to_somebody(self) -> Self:
        if not self.guarded and any(act.do in BY_KEY for act in self.acts):
            raise ValueError(f"acts: {NO_KEYS}")
        return self

    @model_validator(mode="after")
    def _one_worker_at_a_time(self) -> Self:
        if wrong := next((later for one, later in pairwise(self.departures) if later.at <= one.back_at), None):
            raise ValueError(f"departures: one at {wrong.at:g} s, before there is a new worker")
        return self

    @property
    def crosses(self) -> bool:
        """Whether a repeat of the start may come while the start itself is asked for again, or refused."""
        ends, troubled = {"accepted", "end"}, self.lost.of_a_start or self.staging is not None
        return troubled and any(act.do == "repeat" and act.at not in ends for act in self.acts)

    @property
    def cancel_at(self) -> float | None:
        """The virtual second of the cancel, None without one."""
        return next((act.at for act in self.acts if act.do == "cancel" and not isinstance(act.at, str)), None)

    @property
    def cancel_heard(self) -> Heard:
        """When the attempt that runs then hears of the cancel."""
        return next((act.heard for act in self.acts if act.heard != "at_once"), "at_once")
