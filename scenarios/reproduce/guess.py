"""A guess of what happened to an activity, and how likely it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.plans import Plan
from scenarios.plans.plan import PlannedDeparture, PlannedRule

LIKELY = ("status", "refuse", "hang", "job_stuck", "job_failed", "job_slow", "delay", "reset", "empty", "garbage")
"""The kinds of which production has the most, the likeliest first; all others come after them."""
LIKELY_STATUS = (503, 502, 500, 429, 400, 404, 403, 409)


@dataclass(frozen=True)
class Guess:
    """What explains an activity: faults by rules, and the end of a worker."""

    rules: tuple[PlannedRule, ...]
    end: PlannedDeparture | None = None

    @property
    def words(self) -> str:
        """What it is, for people."""
        faults = [
            f"{rule.service}.{rule.operation} call {rule.calls}: "
            + " ".join(f"{value}" for value in rule.fault.values())
            for rule in self.rules
        ]
        return ", then ".join([*faults, *([f"its worker leaves at {self.end.at:g} s"] if self.end else [])])

    def put_in(self, plan: Plan) -> Plan:
        """Return the plan with it."""
        departures = (*plan.departures, *([self.end] if self.end else []))
        return with_rules(plan, self.rules).model_copy(update={"departures": departures})


def likeliest(guesses: Sequence[Guess]) -> list[Guess]:
    """Sort guesses, the likeliest first, and keep one of each kind at each operation."""

    def likely(guess: Guess) -> tuple[int, ...]:
        fault: Mapping[str, Any] = guess.rules[-1].fault if guess.rules else {"kind": ""}
        kind, status = str(fault["kind"]), fault.get("status")
        return (
            len(guess.rules),
            LIKELY.index(kind) if kind in LIKELY else len(LIKELY),
            LIKELY_STATUS.index(status) if status in LIKELY_STATUS else len(LIKELY_STATUS),
            len(fault),
        )

    kept: dict[tuple[str, ...], Guess] = {}
    for guess in sorted(guesses, key=likely):
        key = tuple(
            f"{rule.service}.{rule.operation} {rule.fault['kind']} {rule.fault.get('status', '')}"
            for rule in guess.rules
        ) + (("its worker leaves",) if guess.end else ())
        kept.setdefault(key, guess)
    return list(kept.values())


def with_rules(plan: Plan, rules: Iterable[PlannedRule]) -> Plan:
    """Return the plan with more rules, before the others: of two that contradict each other the first acts."""
    return plan.model_copy(update={"rules": (*rules, *plan.rules)})
