"""How long a service takes and how much it can carry."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .distributions import Seconds
from .rules import RuleError, RulesInvalid


class Capacity(BaseModel):
    """A server's slots and what happens when they are taken. Durations are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    slots: int = Field(default=1, ge=1)
    queue: int | None = Field(default=None, ge=0)
    """How many may wait for a slot. None: any number."""
    when_full: Literal["503", "429", "wait"] = "503"
    """What a call gets that finds the queue full."""
    retry_after: float = Field(default=5, ge=0)
    cold_start: Seconds | None = None
    """What the first call waits besides, and each one after the server was idle for so long."""
    idle: float = Field(default=300, gt=0)


class Profile(BaseModel):
    """Latencies by operation, growth with the picture, limits, and the capacity model."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    name: str = "custom"
    latency: dict[str, Seconds] = {}
    """Before the answer, or the service time of an operation that works. None: at once."""
    seconds_per_megapixel: float = Field(default=0, ge=0)
    """What the service time grows by with the picture."""
    out_of_memory_megapixels: float | None = Field(default=None, gt=0)
    """Larger pictures fail: 500, or a failed job."""
    capacity: Capacity | None = None
    """None: as if there were always a free slot."""


Named = Mapping[str, Any]
"""Profiles of one service by name, as data."""
INSTANT: Named = {"instant": {}}
"""The profile that every service has: nothing takes time."""


def read_profile(data: Any, named: Named = INSTANT) -> Profile:
    """Return a profile: the name of one as text or {"name": …} alone, or the profile itself.

    Raises:
        RulesInvalid: no such name, or a field of it is wrong.
    """
    if isinstance(data, dict) and set(data) == {"name"}:
        data = data["name"]
    if isinstance(data, str):
        if data not in named:
            known = ", ".join(named)
            raise RulesInvalid([RuleError(rule="profile", field="name", message=f"no profile {data!r}, only {known}")])
        data = {"name": data} | named[data]
    try:
        return Profile.model_validate(data)
    except ValidationError as invalid:
        raise RulesInvalid(
            [
                RuleError(rule="profile", field=".".join(map(str, error["loc"])), message=error["msg"])
                for error in invalid.errors(include_url=False)
            ]
        ) from invalid
