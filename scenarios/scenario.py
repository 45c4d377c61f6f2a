"""What a scenario is: plain data. It imports neither Temporal nor what draws pictures: a mix or a list costs little."""

import dataclasses
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, NamedTuple

from scenarios.photos import PHOTOS, unknown
from scenarios.pipeline import ACTIVITIES, OPERATIONS, service_of

ROOT = Path(__file__).resolve().parents[1]

Status = Literal["COMPLETED", "FAILED", "CANCELLED", "REFUSED"]

CONDITIONS = ("every", "p", "after_s", "for_s", "max_hits")
"""What `when` can say, besides `calls` (docs/fakes.md)."""


@dataclass(frozen=True)
class Rule:
    """What a fake does wrong, and when: one rule of the fakes' own schema (docs/fakes.md).

    The engine adds the id and the key, so that a rule acts on its own scenario's workflow alone. `must_fire` is off for
    the few that may rightly stay unused; any other that never fires makes the run inconclusive.
    """

    service: str
    operation: str
    fault: Mapping[str, Any]
    calls: str | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    must_fire: bool = True

    def __post_init__(self) -> None:
        # Imported here: who only runs tests without scenarios does not pay for the schema.
        import fakes.faults  # noqa: F401, PLC0415
        from fakes.kit.rules import RulesInvalid, read_rules  # noqa: PLC0415

        _require_operation(self.service, self.operation)
        try:
            read_rules(self.as_rule("a-rule", "*"))
        except RulesInvalid as invalid:
            wrong = "; ".join(f"{error.field}: {error.message}{_hint(error.field)}" for error in invalid.errors)
            raise ValueError(f"a rule for {self.service}.{self.operation}: {wrong}") from None

    def as_rule(self, rule_id: str, key: str) -> dict[str, Any]:
        """Return the rule as the fakes' control plane takes it."""
        service = service_of(self.service)
        rule = {"id": rule_id, "service": service, "operation": self.operation, "key": key, "fault": dict(self.fault)}
        return rule | ({"calls": self.calls} if self.calls else {}) | dict(self.when)


def rule(
    service: str,
    operation: str,
    kind: str,
    *,
    calls: str | None = None,
    when: Mapping[str, Any] | None = None,
    must_fire: bool = True,
    **parameters: Any,
) -> Rule:
    """Return a rule: `rule("sam3", "submit", "status", calls="1-2", status=503)`; `when={"p": 0.1}` for chance.

    Raises:
        ValueError: a word of it is none that the fakes know.
    """
    return Rule(service, operation, {"kind": kind, **parameters}, calls, when or {}, must_fire)


def _require_operation(service: str, operation: str) -> None:
    """Refuse names that no fake has: a rule or an expectation for them would do nothing, for ever.

    Raises:
        ValueError: there is no such service, or it has no operation that matches.
    """
    if service not in OPERATIONS:
        raise ValueError(f"no such service: {service!r}; there are {', '.join(OPERATIONS)}")
    if not any(fnmatchcase(known, operation) for known in OPERATIONS[service]):
        raise ValueError(f"{service} has no operation {operation!r}; it has {', '.join(OPERATIONS[service])}")


def _hint(field: str) -> str:
    name = field.removeprefix("fault.")
    return f"; {name} goes into `when`" if name in CONDITIONS and name != field else ""


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What must come out. What is None, or not named, is not looked at.

    Attributes:
        status: the final status; REFUSED when the start itself is not accepted.
        code, failed_step: of the failure; `code` also of a refused start.
        http_status: of the answer to the start.
        calls: how often each operation is called, as "service.operation"; for a name with no operation, in all.
        attempts: for each activity, when its attempts began, in virtual seconds since the first activity was scheduled.
        call_times: for each operation, when its calls were made, in the same seconds.
        sent: for each operation, fields of the JSON that each of its calls carried: values, and numbers for how many
            items a list had. A call that a fault ended before anything read it does not count; one must be left.
        length_s: the whole try-on, in virtual seconds.
        background_removed: what the workflow returned.
        gemini: whether there is a second result, or null.
        size: width and height of the results; None: those of the upright photo.
        message: words that the failure's message has.
    """

    status: Status | None = "COMPLETED"
    code: str | None = None
    failed_step: str | None = None
    http_status: int | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    attempts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    call_times: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    sent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    length_s: float | None = None
    background_removed: bool | None = None
    gemini: bool | None = None
    size: tuple[int, int] | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        for activity in self.attempts:
            if activity not in ACTIVITIES:
                raise ValueError(f"no such activity: {activity!r}; there are {', '.join(ACTIVITIES)}")
        for name in (*self.calls, *self.call_times, *self.sent):
            service, _, operation = name.partition(".")
            _require_operation(service, operation or "*")


def failed(code: str, step: str, **more: Any) -> Expect:
    """Return the expectation of a failure: its code, its step, and whatever else is said."""
    return Expect(status="FAILED", code=code, failed_step=step, **more)


def refused(http_status: int, code: str, **more: Any) -> Expect:
    """Return the expectation that the start itself is refused."""
    return Expect(status="REFUSED", http_status=http_status, code=code, **more)


def cancelled(**more: Any) -> Expect:
    """Return the expectation of a cancelled try-on."""
    return Expect(status="CANCELLED", **more)


Doing = Literal[
    "cancel",
    "repeat",
    "repeat_other",
    "status",
    "wait",
    "wait_briefly",
    "wait_through",
    "crowd",
    "events",
    "events_anew",
    "events_late",
    "from_pages",
    "health",
    "progress",
    "stranger",
    "keyed",
    "results_gone",
    "fidelity_gone",
    "results_busy",
    "results_refused",
    "results_nowhere",
]


BY_KEY: tuple[Doing, ...] = ("stranger", "keyed")
NO_KEYS = "stranger and keyed are about a gateway with API keys: say that it is guarded"

ONLY_AT_THE_END = "results that cannot be read are asked for at the end alone"


Heard = Literal["at_once", "next_heartbeat", "after_the_end"]
"""When an attempt hears of a cancel: as it is asked for, or as in production, where it may have ended by then.

Or never, as the try-on ends between the gateway's look at it and the cancel.
"""


class Act(NamedTuple):
    """Something that the user does: what, and when.

    At once with the `start` (a repeat of it), right after that was `accepted`, at the `end`, or at a second. A cancel
    at a second is the scenario's `cancel_at`.
    """

    do: Doing
    at: float | Literal["start", "accepted", "end"]


class Departure(NamedTuple):
    """A worker that leaves, in virtual seconds since the try-on began.

    Attributes:
        at: when.
        back_at: when a new one comes; until then no attempt begins.
        drain_s: how long what runs may go on, before it is cut off; None for one that dies without a word.
    """

    at: float
    back_at: float
    drain_s: float | None = None


class Lost(NamedTuple):
    """What goes wrong between the gateway and Temporal. The user sends again what a 503 answers.

    Attributes:
        start, cancel: how many of Temporal's first answers to a start, to a cancel, are lost, once that was done.
        refused: how often Temporal then refuses a start outright.
        keyless: whether the user sends the start without an Idempotency-Key at first. Temporal never hears of it, and
            nobody can tell; what is sent again has the id of that answer as its key (docs/api.md).
    """

    start: int = 0
    cancel: int = 0
    refused: int = 0
    keyless: bool = False

    @property
    def starts(self) -> int:
        """How many starts are answered with a 503."""
        return self.keyless + self.start // ASKED + self.refused

    @property
    def starts_of_which_nobody_knows(self) -> int:
        """How many of these, the first ones, may have been taken, and so name the try-on."""
        return self.keyless + (self.start + bool(self.refused)) // ASKED


ASKED = 2
"""docs/api.md: how often the gateway asks Temporal whose answers to a start are lost."""
NOTHING_LOST = Lost()


class Staging(NamedTuple):
    """How the blob store refuses a photo, or results, to the gateway, in its own words, and how often.

    The gateway's client asks twice more by itself where a refusal passes (docs/reliability.md).
    """

    status: int
    code: str
    times: int = 99


UNREAD: Mapping[Doing, Staging] = {
    "results_gone": Staging(404, "BlobNotFound"),
    "fidelity_gone": Staging(404, "BlobNotFound"),
    "results_busy": Staging(503, "ServerBusy"),
    "results_refused": Staging(403, "AuthenticationFailed"),
    "results_nowhere": Staging(404, "ContainerNotFound"),
}
"""What the store says when the gateway reads results for somebody who asks how it stands, at the end alone."""
ONE_OF_THEM: Mapping[Doing, str] = {"fidelity_gone": "-flux-fidelity"}
"""Where it says so of one picture alone: what that one's name has behind the try-on's id (docs/operations.md)."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One story of one try-on: what the user sends, what goes wrong, and what must come out.

    Attributes:
        name: in words with hyphens; the command line, the workflow's id and the report use it.
        story: one sentence, for people.
        theme: what it belongs to in the catalogue.
        photo: a name of `scenarios.photos`.
        points: x, y, label; None: one on the neck and one in a corner.
        strokes: brush strokes as the API takes them.
        rules: what the fakes do wrong.
        cancel_at: the virtual second at which the user cancels.
        cancel_heard: when the attempt that runs then hears of it, in virtual time.
        acts: what else the user does.
        departures: of the worker, in virtual time alone.
        lost: what goes wrong between the gateway and Temporal, in virtual time alone.
        staging: how the blob store refuses the photo to the gateway, in virtual time alone.
        guarded: whether the gateway has API keys, of which the user sends one, in virtual time alone.
        expect: what must come out.
        live: whether it also runs in real time (it must not take minutes there).
        beside: other stories that run at the same time; each must come out as it says itself.
        body: changes to the request's body, for requests that are wrong.
        headers: more headers of the start; `Transfer-Encoding: chunked` has its body sent without a length.
        size: the bytes of its body at least: spaces fill it up.
        written: file and line that made it, for people; a name that is put together is found by it.
    """

    name: str
    story: str
    theme: str
    expect: Expect
    photo: str = "near"
    points: tuple[tuple[float, float, int], ...] | None = None
    strokes: tuple[Mapping[str, Any], ...] = ()
    rules: tuple[Rule, ...] = ()
    cancel_at: float | None = None
    cancel_heard: Heard = "at_once"
    acts: tuple[Act, ...] = ()
    departures: tuple[Departure, ...] = ()
    lost: Lost = NOTHING_LOST
    staging: Staging | None = None
    guarded: bool = False
    live: bool = False
    beside: tuple["Scenario", ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    written: str = field(init=False, compare=False, repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", _caller())
        if not self.name or set(self.name) - set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            raise ValueError(f"a scenario's name is made of a-z, 0-9 and hyphens, not {self.name!r}")
        if not self.story.strip():
            raise ValueError(f"scenario {self.name}: a story in one sentence is needed")
        if self.cancel_at is None and self.cancel_heard != "at_once":
            raise ValueError(f"scenario {self.name}: cancel_heard is said of a cancel, and there is no cancel_at")
        if self.live and self.virtual_alone:
            raise ValueError(f"scenario {self.name}: what it says happens in virtual time alone, and it is to be live")
        if any(act.do in UNREAD and act.at != "end" for act in self.acts):
            raise ValueError(f"scenario {self.name}: {ONLY_AT_THE_END}")
        if not self.guarded and any(act.do in BY_KEY for act in self.acts):
            raise ValueError(f"scenario {self.name}: {NO_KEYS}")
        if self.photo not in PHOTOS:
            raise ValueError(f"scenario {self.name}: {unknown(self.photo)}")

    @property
    def fault_free(self) -> bool:
        """Whether it can run against services that are not fakes."""
        return not (self.rules or self.acts or self.beside or self.virtual_alone) and self.cancel_at is None

    @property
    def virtual_alone(self) -> bool:
        """Whether there is something in it that can be made to happen in virtual time alone."""
        around = self.departures or self.staging or self.guarded or any(self.lost)
        more = self.cancel_heard != "at_once" or any(act.do in UNREAD for act in self.acts)
        return bool(around) or more or any(other.virtual_alone for other in self.beside)

    def mask_points(self) -> list[dict[str, float | int]]:
        """Return the points as the API takes them."""
        points = self.points if self.points is not None else ((*PHOTOS[self.photo].neck, 1), (0.02, 0.02, 0))
        return [{"x": x, "y": y, "label": label} for x, y, label in points]


def _caller() -> str:
    """Return FILE:LINE of the code that makes a scenario: the first frame that is neither here nor of dataclasses."""
    frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() reads source files, for each of hundreds
    while frame.f_back is not None and frame.f_code.co_filename in {__file__, dataclasses.__file__, "<string>"}:
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    return f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}:{frame.f_lineno}"
