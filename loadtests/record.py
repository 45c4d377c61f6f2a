"""What became of one try-on of a load run, as it is written down: one line of JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Outcome = Literal["completed", "failed", "refused", "cancelled", "timeout", "censored", "dropped", "not started"]
"""`dropped`: too many were running when it was to start. `not started`: its faults could not be set in the fakes, or
the load worker that was to start it died.
"""


Endpoint = Literal["start", "status", "long poll", "events", "cancel"]
"""Status calls that wait for the end, `?wait=`, are long polls: they take long on purpose."""


@dataclass(slots=True)
class Record:
    """What became of one try-on. Instants are Unix seconds, None while they have not come; durations are seconds.

    Attributes:
        number: its place in the plan.
        case: the case's name.
        intended, started, accepted, ended: when it was to start, its POST was sent, was answered, and its end was seen.
        outcome: `censored` until its end was seen, or it turned out that it does not start.
        right: whether the outcome is one that the scenario calls right.
        code: of a failure or a refused start; its HTTP status when it says no code, "no answer" when nothing came back;
            "no result" of a try-on that completed without one.
        requests: how long each request took by endpoint, failed ones too; of a stream of events, until its first line.
        failures: how many of them were not answered as they should be.
        steps: when each step was first seen in the stream of events, in seconds after the intended start.
        sent, received: bytes of bodies.
    """

    number: int
    case: str
    intended: float
    workflow_id: str = ""
    started: float | None = None
    accepted: float | None = None
    ended: float | None = None
    outcome: Outcome = "censored"
    right: bool = False
    code: str | None = None
    requests: dict[Endpoint, list[float]] = field(default_factory=dict)
    failures: dict[Endpoint, int] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    sent: int = 0
    received: int = 0

    @property
    def seconds(self) -> float | None:
        """From the intended start to the end, None while it runs."""
        return None if self.ended is None else self.ended - self.intended

    def was_running(self, at: float) -> bool:
        """Say whether it was due and had not ended at an instant."""
        due = self.intended < at and self.outcome not in ("dropped", "not started")
        return due and (self.ended is None or self.ended >= at)

    def asked(self, endpoint: Endpoint, seconds: float, *, well: bool) -> None:
        """Write down one request."""
        self.requests.setdefault(endpoint, []).append(round(seconds, 6))
        if not well:
            self.failures[endpoint] = self.failures.get(endpoint, 0) + 1

    def as_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))
