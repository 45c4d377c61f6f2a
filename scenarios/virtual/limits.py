"""The timeouts of an activity, which its story enforces instead of the server."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from math import inf, isfinite
from typing import Any

SOON = timedelta(milliseconds=1)
"""What the server waits before the next attempt: the backoff has passed in the story already."""
SPARE = 100
"""More attempts than a policy allows that the server gets: those that it loses on its way to a worker."""
UNLIMITED = timedelta(days=1)
"""The server's own limit for an attempt, in wall time: only a process that is gone reaches it."""


@dataclass(frozen=True)
class Limits:
    """Seconds, `inf` where there is no limit."""

    start_to_close: float = inf
    schedule_to_start: float = inf
    schedule_to_close: float = inf
    heartbeat: float = inf

    @classmethod
    def take(cls, command: Any) -> "Limits":
        """Take the timeouts out of a command that schedules an activity; the server gets none that matters.

        As the server has it, none is longer than that around it.
        """
        taken = {}
        for limit in fields(cls):
            name = f"{limit.name}_timeout"
            if name in command.DESCRIPTOR.fields_by_name and command.HasField(name):
                taken[limit.name] = getattr(command, name).ToNanoseconds() / 1e9
                command.ClearField(name)
        command.start_to_close_timeout.FromTimedelta(UNLIMITED)
        if command.retry_policy.maximum_attempts:
            command.retry_policy.maximum_attempts += SPARE
        given = cls(**taken)
        start_to_close = min(given.start_to_close, given.schedule_to_close)
        schedule_to_start = min(given.schedule_to_start, given.schedule_to_close)
        heartbeat = min(given.heartbeat, start_to_close) if isfinite(given.heartbeat) else inf
        return cls(start_to_close, schedule_to_start, given.schedule_to_close, heartbeat)

    def as_json(self) -> dict[str, float]:
        """Return those that there are."""
        return {name: seconds for name, seconds in asdict(self).items() if isfinite(seconds)}


def delta(seconds: float) -> timedelta | None:
    """Return seconds as a timedelta, None for infinity."""
    return timedelta(seconds=seconds) if isfinite(seconds) else None
