"""The ledger: every call to a fake and what became of it, in bounded memory."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakes.kit.bodies import Fields
    from fakes.kit.hits import Hit


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
    status: int | None = None
    duration_s: float | None = None
    """What the call took for the caller: claimed in virtual time, measured in real time. None for ever after a hang."""
    intended_s: float = 0.0
    """What profile and queue gave it to take in real time; what it took beyond that is the fake's own doing."""
    sent: dict[str, Any] | None = None
    """The digest of the JSON that was sent; None where nothing read it (digests.py)."""
    answered: dict[str, Any] | None = None
    """The digest of the JSON that was answered."""
    asked: "Fields | None" = field(default=None, repr=False, compare=False)
    """The fields of the request that rules ask about; None when none did."""
    hit: "Hit | None" = field(default=None, repr=False, compare=False)
    """The rule that matched, whether it changed something or not."""

    def public(self) -> dict[str, Any]:
        """Return the entry as the control plane answers it."""
        return {
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
            "sent": self.sent,
            "answered": self.answered,
        }


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
