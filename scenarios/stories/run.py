"""What one run of a scenario left behind: answers, calls, attempts, history. Expectations and invariants read it."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from temporalio.client import WorkflowHistory

from scenarios.scenario import Rule, Scenario
from scenarios.stories.acts import Answered
from scenarios.stories.timelines import Timeline


@dataclass(frozen=True)
class SeenCall:
    """One call in a fake's ledger. `at` (since the timeline's beginning) and `duration_s` are virtual seconds."""

    service: str
    operation: str
    number: int
    attempt: int | None
    at: float
    rule: str | None
    fault: str | None
    status: int | None
    duration_s: float | None
    sent: dict[str, Any] | None = None
    answered: dict[str, Any] | None = None
    """Digests of what was sent and answered (fakes/kit/digests.py); None where there was no JSON, or nobody read it."""
    idempotency_key: str | None = None
    also: tuple[str, ...] = ()
    """Further rules that changed something in it."""
    also_faults: tuple[str, ...] = ()
    """Their kinds of fault."""

    @property
    def rules(self) -> set[str]:
        """The rules that changed something in it."""
        return {rule for rule in (self.rule, *self.also) if rule}

    @property
    def faults(self) -> tuple[str, ...]:
        """The kinds of fault that changed something in it, in the order in which they did."""
        return tuple(fault for fault in (self.fault, *self.also_faults) if fault)

    @property
    def name(self) -> str:
        """The name that expectations use."""
        return f"{self.service}.{self.operation}"


class Drawable(Protocol):
    """What can be drawn: a run of a scenario, or any workflow that somebody asks for."""

    timeline: Timeline
    calls: list[SeenCall]


@dataclass
class Run:
    """A scenario that ran. Attributes are filled as the run goes; `problems` is what it must answer for.

    `seen_inside` is off for a deployment of which only the gateway can be asked: no ledgers, no histories. `judged` is
    on once it was played to its end, in time, and looked at whole: only then do its problems speak of the pipeline.
    `starved` is on where the machine was too busy for it to prove anything, and `told` is how often it was begun.
    """

    scenario: Scenario
    key: str
    workflow_id: str
    timeline: Timeline
    rules: dict[str, Rule] = field(default_factory=dict)
    status: str = "UNKNOWN"
    start_answer: tuple[int, Any] = (0, None)
    again_after: str | None = None
    """When to come again, by the answer to the start."""
    cancel_answer: tuple[int, Any] | None = None
    repeated: list[tuple[str, int, Any]] = field(default_factory=list)
    """What was asked again as its answer said that nobody knew what had become of it: what, and that answer."""
    acts: list[Answered] = field(default_factory=list)
    samples: list[tuple[int, str]] = field(default_factory=list)
    unanswered: int = 0
    """Looks that were answered 503."""
    answer: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] | None = None
    kept: dict[str, bytes | None] = field(default_factory=dict)
    """What the store keeps of a photo that has words beside it, by the blobs' names; None where there is none."""
    calls: list[SeenCall] = field(default_factory=list)
    history: WorkflowHistory | None = None
    wall_s: float = 0.0
    virtual: bool = True
    seen_inside: bool = True
    judged: bool = False
    starved: bool = False
    told: int = 1
    problems: list[str] = field(default_factory=list)
    beside: list["Run"] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether everything came out as it must."""
        return not self.problems

    @property
    def error(self) -> dict[str, Any]:
        """The failure that a client sees: of the try-on, or of a start that was refused."""
        if self.status == "REFUSED":
            body = self.start_answer[1]
            return dict(body.get("error") or {}) if isinstance(body, dict) else {}
        return dict(self.answer.get("error") or {})

    def count(self, name: str) -> int:
        """Return how often an operation ("sam3.poll") or a service ("sam3") was called."""
        return sum(name in {call.name, call.service} for call in self.calls)

    def ledger(self) -> list[tuple[Any, ...]]:
        """Return the calls in a form that two runs can be compared by: sorted, without wall times and job ids."""
        rows = [
            (call.service, call.operation, call.number, call.attempt, round(call.at, 3), call.fault, call.status)
            for call in self.calls
        ]
        return sorted(rows, key=lambda row: tuple(str(part).rjust(12) for part in row))
