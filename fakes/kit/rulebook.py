"""The rules of one fake at work: which rule a call meets, what fired, and why a rule did not."""

import fnmatch
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from .calls import Operation
from .conditions import conditions, is_wild
from .faults.base import CallFault, Fault
from .faults.connection import Refuse
from .instants import between
from .ledger import Entry, Hit, Tally
from .rules import Rule, RuleError, RulesInvalid

MOST_KEYS = 50_000


class Active:
    """A rule as it is matched."""

    def __init__(self, rule: Rule, order: int, operations: frozenset[str], seed: int, loaded: float) -> None:
        self.rule = rule
        self.order = order
        self.operations = operations
        """The operations of this fake that it can act on. Empty: another service's rule, or the fault fits none."""
        self.loaded = loaded
        self.tally = Tally()
        self._conditions = conditions(rule, seed, self.tally)
        self._holds = tuple(condition.holds for condition in self._conditions)

    def span(self) -> tuple[float, float]:
        """Return from when to when it closes the listener, in Unix seconds."""
        begin = self.loaded + (self.rule.after_s or 0.0)
        return begin, begin + self.rule.for_s if self.rule.for_s else float("inf")

    def is_for_everything(self) -> bool:
        """Return whether it acts on all operations, whoever calls."""
        return bool(self.operations) and self.rule.operation == "*" and not self._conditions

    def acts_on(self, entry: Entry) -> bool:
        """Return whether every condition holds for a call of one of its operations."""
        for holds in self._holds:  # noqa: SIM110 - a generator costs twice as much, on the hot path
            if not holds(entry):
                return False
        return True

    def misses(self, entry: Entry) -> list[str]:
        """Return why it does not act on a call: each condition that does not hold, in words. Empty: it does."""
        other = entry.operation not in self.operations
        why = [f"operation: wants {self.rule.operation}, was {entry.operation}"] if other else []
        return why + [condition.missed(entry) for condition in self._conditions if not condition.holds(entry)]


@dataclass(slots=True)
class Timeline:
    """What a key did so far: when it first called, and how often each operation."""

    first: float
    counts: dict[str, int] = field(default_factory=dict)


class RuleBook:
    """The rules of one fake, in the order in which they were loaded."""

    def __init__(
        self, service: str, operations: Callable[[], Iterable[Operation]], seed: int, *, keyed_refusal: bool
    ) -> None:
        self._service = service
        self._operations = operations
        self._seed = seed
        self._keyed_refusal = keyed_refusal
        self._rules: dict[str, Active] = {}
        self._exact: dict[tuple[str, str], list[Active]] = {}
        self._globs: dict[str, list[Active]] = {}
        self._keys: OrderedDict[str, Timeline] = OrderedDict()
        self.body_fields: dict[str, frozenset[str]] = {}
        """What rules ask of requests, by operation: a call of these is matched once its body is read."""
        self._loaded = 0

    def __len__(self) -> int:
        return len(self._rules)

    def load(self, rules: list[Rule], now: float) -> None:
        """Add rules, or replace those of the same id.

        Raises:
            RulesInvalid: one of them cannot act on this fake. None is loaded then.
        """
        errors: list[RuleError] = []
        active = [self._activate(rule, now, errors) for rule in rules]
        if errors:
            raise RulesInvalid(errors)
        for item in active:
            self._rules[item.rule.id] = item
        self._index()

    def remove(self, rule_id: str | None = None) -> bool:
        """Remove a rule, or all of them. Return whether there was one."""
        if rule_id is None:
            found = bool(self._rules)
            self._rules.clear()
        else:
            found = self._rules.pop(rule_id, None) is not None
        self._index()
        return found

    def forget(self) -> None:
        """Forget the calls and the hits, keep the rules."""
        self._keys.clear()
        for active in self._rules.values():
            active.tally.hits = active.tally.taken = 0

    def count(self, key: str, operation: str, now: float) -> tuple[int, float]:
        """Count a call. Return its number and the seconds since the key's first call."""
        timeline = self._keys.get(key)
        if timeline is None:
            timeline = self._keys[key] = Timeline(now)
            if len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(key)
        number = timeline.counts.get(operation, 0) + 1
        timeline.counts[operation] = number
        return number, between(timeline.first, now)

    def match(self, entry: Entry) -> tuple[Hit, ...]:
        """Have a call meet its rules, of such that contradict each other the first, and note the hits in the entry."""
        candidates = self._globs.get(entry.operation)
        exact = self._exact.get((entry.operation, entry.key)) if self._exact else None
        if exact:
            candidates = sorted([*exact, *candidates], key=lambda item: item.order) if candidates else exact
        for active in candidates or ():
            fault = active.rule.fault
            if active.acts_on(entry) and not any(fault.contradicts(cast("Fault", met.fault)) for met in entry.hits):
                entry.hits = (*entry.hits, Hit(active.rule.id, fault, active.tally, entry))
        return entry.hits

    def of_the_host(self) -> CallFault | None:
        """Return the fault by which the host answers what is no operation, such as GET /, in the service's place."""
        for active in self._rules.values():
            fault = active.rule.fault
            if isinstance(fault, CallFault) and fault.of_the_host and active.is_for_everything():
                return fault
        return None

    def refusals(self) -> list[tuple[float, float]]:
        """Return from when to when, in Unix seconds, the service refuses connections in real time."""
        return [active.span() for active in self._refusing()]

    def refused(self, now: float) -> None:
        """Count the rules that keep the listener closed now, each once: nobody can count who did not get through."""
        for active in self._refusing():
            begin, end = active.span()
            if begin <= now < end:
                active.tally.hits = 1

    def _refusing(self) -> list[Active]:
        """Return the rules that close the listener, when their time has come."""
        if self._keyed_refusal:
            return []
        return [a for a in self._rules.values() if isinstance(a.rule.fault, Refuse) and a.operations]

    def public(self) -> list[dict[str, Any]]:
        """Return each rule as it was given, with its hits and the operations that it acts on."""
        return [
            active.rule.model_dump(mode="json", exclude_defaults=True)
            | {"id": active.rule.id, "hits": active.tally.hits, "acts_on": sorted(active.operations)}
            for active in self._rules.values()
        ]

    def verdict(self, calls: Callable[[], Iterable[Entry]]) -> dict[str, Any]:
        """Return whether every rule of this service with `expect` fired often enough, and for those that did not, why.

        `elsewhere` names the rules with `expect` that are for other services: one file serves all fakes.
        """
        unmet = [
            {
                "id": active.rule.id,
                "hits": active.tally.hits,
                "expect": active.rule.least_hits,
                "near_misses": self._near_misses(active, calls()),
            }
            for active in self._rules.values()
            if active.tally.hits < active.rule.least_hits and self._concerns(active.rule)
        ]
        elsewhere = [a.rule.id for a in self._rules.values() if a.rule.least_hits and not self._concerns(a.rule)]
        return {"verdict": "inconclusive" if unmet else "passed", "unmet": unmet, "elsewhere": elsewhere}

    def near_misses(self, rule_id: str, calls: Iterable[Entry]) -> list[dict[str, Any]] | None:
        """Return the calls that came nearest to a rule and why it did not act on them, None for an unknown rule."""
        active = self._rules.get(rule_id)
        return self._near_misses(active, calls) if active else None

    def _near_misses(self, active: Active, calls: Iterable[Entry], most: int = 3) -> list[dict[str, Any]]:
        if not active.operations:
            wanted = f"service {active.rule.service}, operation {active.rule.operation}"
            return [{"call": None, "why": [f"it acts on nothing here: wants {wanted}, this fake is {self._service}"]}]
        if active in self._refusing():
            begin, end = active.span()
            span = f"{begin - active.loaded:g} s to {end - active.loaded:g} s"
            return [{"call": None, "why": [f"in real time it refuses from {span} after it was loaded"]}]
        missed: list[tuple[int, Entry, list[str]]] = []
        for entry in calls:
            hit = next((hit for hit in entry.hits if hit.tally is active.tally), None)
            if hit is not None:
                if not hit.acted:
                    missed.append((0, entry, [hit.why_not()]))
                continue
            why = active.misses(entry) or [_passed_over(active.rule, entry)]
            missed.append((len(why), entry, why))
        missed.sort(key=lambda item: item[0])
        return [{"call": entry.public(), "why": why} for _, entry, why in missed[:most]]

    def _concerns(self, rule: Rule) -> bool:
        """Return whether a rule is for this service."""
        return fnmatch.fnmatchcase(self._service, rule.service)

    def _activate(self, rule: Rule, now: float, errors: list[RuleError]) -> Active:
        def wrong(name: str, message: str) -> None:
            errors.append(RuleError(rule=rule.id, field=name, message=message))

        acts: frozenset[str] = frozenset()
        if self._concerns(rule):
            acts = self._fitting(rule, wrong)
            if rule.fault.only_virtual and not self._keyed_refusal:
                wrong("fault.kind", f"{rule.fault.kind}: {rule.fault.only_virtual}")
        if isinstance(rule.fault, Refuse) and not self._keyed_refusal:
            for name in ("operation", "key"):
                if getattr(rule, name) != "*":
                    wrong(
                        name,
                        "in real time a service refuses all connections: leave it out, or run with SIM_CLOCK=caller",
                    )
            for name in ("calls", "every", "p", "max_hits"):
                if getattr(rule, name) is not None:
                    wrong(name, "a refused connection is no call: leave it out, or run with SIM_CLOCK=caller")
            if rule.least_hits > 1:
                wrong("expect", "in real time a refusal is one hit, however many it turns away: say true")
        existing = self._rules.get(rule.id)
        self._loaded += 1
        order = existing.order if existing else self._loaded
        return Active(rule, order, acts, self._seed, now)

    def _fitting(self, rule: Rule, wrong: Callable[[str, str], None]) -> frozenset[str]:
        """Return the operations that the rule acts on. An operation that is named must be one that the fault fits."""
        known = {operation.name: operation for operation in self._operations()}
        misfits = {name: rule.fault.misfit(operation) for name, operation in known.items()}
        asked = frozenset(rule.body or ())

        def has(name: str) -> bool:
            fields = known[name].asks
            return fields is None or asked <= fields

        if rule.operation == "*":
            fitting = frozenset(name for name, misfit in misfits.items() if misfit is None)
            asking = frozenset(filter(has, fitting))
            if not fitting and rule.service == self._service:
                wrong("fault.kind", f"{rule.fault.kind} fits no operation of {self._service}")
            elif not asking and rule.service == self._service:
                wrong("body", f"{self._service} has no operation that {rule.fault.kind} fits with these fields")
            return asking
        if rule.operation not in known:
            if rule.service == self._service:
                wrong("operation", f"{self._service} has no {rule.operation!r}, only {', '.join(known)}")
            return frozenset()
        misfit = misfits[rule.operation]
        if misfit is not None:
            wrong("fault.field" if hasattr(rule.fault, "field") else "fault.kind", f"{rule.operation}: {misfit}")
        fields = known[rule.operation].asks
        for name in sorted(asked - (asked if fields is None else fields)):
            shown = ", ".join(sorted(fields or ())) or "none"
            wrong("body", f"{rule.operation}: its request has no field {name!r} (it has {shown})")
        return frozenset({rule.operation})

    def _index(self) -> None:
        self._exact, self._globs, self.body_fields = {}, {}, {}
        for active in sorted(self._rules.values(), key=lambda item: item.order):
            if isinstance(active.rule.fault, Refuse) and not self._keyed_refusal:
                continue  # the listener's, not a call's
            for name in active.operations:
                if active.rule.body:
                    self.body_fields[name] = self.body_fields.get(name, frozenset()) | frozenset(active.rule.body)
                if not is_wild(active.rule.key):
                    self._exact.setdefault((name, active.rule.key), []).append(active)
                else:
                    self._globs.setdefault(name, []).append(active)


def _passed_over(rule: Rule, entry: Entry) -> str:
    """Return why a rule did not act on a call that it matches."""
    for hit in entry.hits:
        words = rule.fault.contradicts(cast("Fault", hit.fault))
        if words:
            return f"rule {hit.rule} acted first: {words}"
    return "loaded after the call"
