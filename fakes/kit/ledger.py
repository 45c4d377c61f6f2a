"""The ledger: every call to a fake, which rules met it and what became of it, in bounded memory."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from .bodies import Fields
from .digests import Kept, told


class Named(Protocol):
    """A fault, as the ledger knows it."""

    @property
    def kind(self) -> str:
        """The name of its kind."""


@dataclass(slots=True)
class Tally:
    """What a rule did so far."""

    taken: int = 0
    """Calls that it matched and that it has not given back: what `max_hits` limits."""
    hits: int = 0
    """Calls in which its fault changed something."""


class Hit:
    """A rule that matched a call. It is open until its fault changes something, or can no longer.

    An open hit counts for `max_hits` alone. One that acts counts as a hit, and is named in the ledger: only what a
    caller can notice is a hit.
    """

    __slots__ = ("_entry", "acted", "carried", "changed", "fault", "open", "rule", "tally")

    def __init__(self, rule: str, fault: Named, tally: Tally, entry: "Entry") -> None:
        tally.taken += 1
        self.rule = rule
        self.fault = fault
        self.tally = tally
        self._entry = entry
        self.open = True
        self.acted = False
        self.changed = False
        """What the caller does not have yet is another one by it: a picture."""
        self.carried = False
        """A job goes on with it: its polls show it, not the call that submitted it."""

    def act(self) -> None:
        """Count it: there is something now that the caller can notice."""
        if self.open:
            self.open, self.acted = False, True
            self.tally.hits += 1
            entry = self._entry
            if entry.rule is None:
                entry.rule, entry.fault = self.rule, self.fault.kind
            else:
                entry.also = [*entry.also, self.rule]
                entry.also_faults = [*entry.also_faults, self.fault.kind]

    def close(self) -> None:
        """Count it if it changed something, take it back if not."""
        if self.changed:
            self.act()
        elif self.open:
            self.open = False
            self.tally.taken -= 1

    def why_not(self) -> str:
        """Return in words why it is no hit."""
        if self.open:
            return f"it matched, and nobody has seen its {self.fault.kind} yet"
        return f"it matched, and {self.fault.kind} found nothing to change"


@dataclass(slots=True)
class Entry:
    """One call. `status` and `duration_s` stay None while it is under way, `status` also when no answer went out."""

    service: str
    operation: str
    key: str
    call: int
    attempt: int | None
    at: float
    """Unix seconds of the machine's clock."""
    caller_time: float
    """Unix seconds of the caller's clock: the same as `at` unless X-Sim-Time was sent."""
    since_first: float
    rule: str | None = None
    """The rule that changed something, once it did."""
    fault: str | None = None
    also: Iterable[str] = ()
    """Further rules that changed something."""
    also_faults: Iterable[str] = ()
    """Their kinds of fault, in the same order."""
    status: int | None = None
    duration_s: float | None = None
    """What the call took for the caller: claimed in virtual time, measured in real time. None for ever after a hang."""
    intended_s: float = 0.0
    """What profile and queue gave it to take in real time; what it took beyond that is the fake's own doing."""
    sent: Kept = None
    """Of the JSON that was sent; None where nothing read it."""
    answered: Kept = None
    """Of the JSON that was answered."""
    idempotency_key: str | None = None
    """What the caller calls the same call by, when it makes it again."""
    bug: str | None = None
    """What the fake itself did wrong, when its own code raised."""
    asked: Fields | None = field(default=None, repr=False, compare=False)
    """The fields of the request that rules ask about; None when none did."""
    hits: tuple[Hit, ...] = field(default=(), repr=False, compare=False)
    """The rules that matched, whether they changed something or not."""

    def public(self) -> dict[str, Any]:
        """Return the entry as the control plane answers it: the words after `answered` only where there are such."""
        public: dict[str, Any] = {
            "service": self.service,
            "operation": self.operation,
            "key": self.key,
            "call": self.call,
            "attempt": self.attempt,
            "at": self.at,
            "caller_time": self.caller_time,
            "rule": self.rule,
            "fault": self.fault,
            "status": self.status,
            "duration_s": self.duration_s,
            "intended_s": self.intended_s,
            "sent": told(self.sent),
            "answered": told(self.answered),
        }
        if self.also:
            public["also"] = self.also
            public["also_faults"] = self.also_faults
        if self.idempotency_key is not None:
            public["idempotency_key"] = self.idempotency_key
        if self.bug is not None:
            public["bug"] = self.bug
        return public


class Ledger:
    """The last `size` calls, by arrival and by key."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._calls: deque[Entry] = deque()
        self._by_key: dict[str, deque[Entry]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, entry: Entry) -> None:
        """Write a call down, and forget the oldest one beyond the size."""
        calls = self._calls
        if len(calls) >= self._size:
            oldest = calls.popleft()
            same_key = self._by_key[oldest.key]
            same_key.popleft()  # the oldest of all is the oldest of its key
            if not same_key:
                del self._by_key[oldest.key]
        calls.append(entry)
        same = self._by_key.get(entry.key)
        if same is None:
            self._by_key[entry.key] = deque((entry,))
        else:
            same.append(entry)

    def calls(self, key: str | None = None, operation: str | None = None) -> Iterator[Entry]:
        """Yield the calls in order of arrival, of one key or operation if given."""
        chosen = self._calls if key is None else self._by_key.get(key, ())
        return (entry for entry in chosen if operation is None or entry.operation == operation)

    def clear(self) -> None:
        """Forget everything."""
        self._calls.clear()
        self._by_key.clear()


def duplicate_submits(calls: Iterable[Entry]) -> dict[str, int]:
    """Return how often each key was submitted, for the keys that were more than once."""
    submits = Counter(entry.key for entry in calls if entry.operation == "submit" and entry.key)
    return {key: count for key, count in submits.items() if count > 1}


def json_lines(calls: Iterable[Entry]) -> str:
    """Return one JSON object a line."""
    return "".join(json.dumps(entry.public()) + "\n" for entry in calls)
