"""The timeouts of an activity, which its story enforces instead of the server."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from math import inf, isfinite
from typing import Any

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
        """Take the timeouts out of a command that schedules an activity; the server gets none that matters."""
        taken = {}
        for limit in fields(cls):
            name = f"{limit.name}_timeout"
            if name in command.DESCRIPTOR.fields_by_name and command.HasField(name):
                taken[limit.name] = getattr(command, name).ToNanoseconds() / 1e9
                command.ClearField(name)
        command.start_to_close_timeout.FromTimedelta(UNLIMITED)
        return cls(**taken)

    def as_json(self) -> dict[str, float]:
        """Return those that there are."""
        return {name: seconds for name, seconds in asdict(self).items() if isfinite(seconds)}


def delta(seconds: float) -> timedelta | None:
    """Return seconds as a timedelta, None for infinity."""
    return timedelta(seconds=seconds) if isfinite(seconds) else None
